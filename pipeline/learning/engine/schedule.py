"""The learning rate over a run."""

import math
from typing import Literal

WARM_UP = 0.05  # share of the steps
FINAL = 0.01  # share of the peak, at the end of a cosine
STEPS = (90 / 140, 120 / 140)  # shares of the run after which the rate is a tenth of what it was (EpipolarPose)


def learning_rate(peak: float, step: int, n_steps: int, schedule: Literal["cosine", "step"] = "cosine") -> float:
    """Linear warm-up to the peak, then half a cosine down to a hundredth of it, or down by ten at the paper's steps.

    >>> [round(learning_rate(1.0, step, 100, "step"), 3) for step in (0, 50, 70, 90)]
    [0.2, 1.0, 0.1, 0.01]
    """
    warm_up = max(1, round(WARM_UP * n_steps))
    if step < warm_up:
        return peak * (step + 1) / warm_up
    if schedule == "step":
        return peak * 0.1 ** sum(step >= round(share * n_steps) for share in STEPS)
    done = (step - warm_up) / max(1, n_steps - warm_up)
    return peak * (FINAL + (1 - FINAL) * (1 + math.cos(math.pi * done)) / 2)
