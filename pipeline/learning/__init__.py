"""Training of the 2D detector, of the 3D networks for images or 2D poses, and of the refinement unit.

`train.py` has the steps of the stage `train` in their order; `supervision.py` reads the training targets.
"""

import os

# OpenMP reads this variable when torch loads the library. Threads that wait for work spin for a short time, then sleep.
# On two idle cores this gives 28 training steps per second; the library's default gives 26.6, immediate sleep 18.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
