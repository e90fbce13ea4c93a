"""The learning rate over a training."""

import math
from typing import Literal

Schedule = Literal["cosine", "step"]
FINAL = 0.01  # share of the peak at the end of a cosine
# Shares of the training after which the rate is divided by ten: epochs 90 and 120 of 140 (Kocabas et al. 2019).
STEPS = (90 / 140, 120 / 140)


def learning_rate(peak: float, step: int, n_steps: int, *, warm_up: float, schedule: Schedule = "cosine") -> float:
    """The rate at a step: a linear warm-up to the peak over a share of the steps, then the schedule.

    cosine: half a cosine period, down to `FINAL` times the peak. step: divided by ten after each of `STEPS`.

    >>> [round(learning_rate(1.0, step, 100, warm_up=0.05, schedule="step"), 3) for step in (0, 50, 70, 90)]
    [0.2, 1.0, 0.1, 0.01]
    """
    warm_up_steps = max(1, round(warm_up * n_steps))
    if step < warm_up_steps:
        return peak * (step + 1) / warm_up_steps
    if schedule == "step":
        return float(peak * 0.1 ** sum(step >= round(share * n_steps) for share in STEPS))
    done = (step - warm_up_steps) / max(1, n_steps - warm_up_steps)
    return peak * (FINAL + (1 - FINAL) * (1 + math.cos(math.pi * done)) / 2)
