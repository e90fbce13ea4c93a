"""The refinement unit, and the out-of-fold predictions that it is trained on."""
