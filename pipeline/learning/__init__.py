"""The torch room: the 2D detector's training and the volumetric 3D pose network."""
