"""Networks that see images: the volumetric 3D network, and the 2D detector's training."""
