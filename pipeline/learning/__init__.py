"""The torch room: training of the 2D detector, of the 3D networks that see images or 2D poses, and of the refinement.

`train.py` reads top to bottom as the stage does; `supervision.py` says where the training targets come from.
"""

import os

# OpenMP reads this when torch loads it. Threads that wait for work spin for a short time, then sleep: on two idle cores
# this gives 28 training steps a second, the library's own setting 26.6, sleeping at once 18.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
