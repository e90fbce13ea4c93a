"""The torch room: the 2D detector's training and the volumetric 3D pose network."""

import os

# Read when torch loads OpenMP. Threads that spin while they wait starve the loaders, and each other on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
