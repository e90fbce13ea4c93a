"""The torch room: the 2D detector's training and the volumetric 3D pose network."""

import os

# Read when torch loads OpenMP. Threads that wait spin a short while, then sleep: as fast as spinning for ever where
# nothing else runs, and ten times as fast as never spinning where much does.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
