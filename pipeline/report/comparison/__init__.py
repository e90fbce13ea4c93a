"""Experiments and papers side by side, outside the page of one run."""
