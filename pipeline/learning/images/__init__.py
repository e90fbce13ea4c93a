"""Networks whose input is images: the volumetric 3D network, and the 2D detector's training."""
