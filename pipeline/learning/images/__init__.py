"""Networks that see images: the volumetric 3D pose network and the training of the 2D detector."""
