"""The torch room: the 2D detector's training and the volumetric 3D pose network."""

import os

# Read when torch loads OpenMP. Threads that wait for work spin a short while, then sleep: on two idle cores 28 training
# steps a second, 26.6 with the library's own setting and 18 where they sleep at once.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
