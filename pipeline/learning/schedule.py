"""The learning rate over a run."""

import math

WARM_UP = 0.05  # share of the steps
FINAL = 0.01  # share of the peak


def learning_rate(peak: float, step: int, n_steps: int) -> float:
    """Linear warm-up to the peak, then half a cosine down to a hundredth of it."""
    warm_up = max(1, round(WARM_UP * n_steps))
    if step < warm_up:
        return peak * (step + 1) / warm_up
    done = (step - warm_up) / max(1, n_steps - warm_up)
    return peak * (FINAL + (1 - FINAL) * (1 + math.cos(math.pi * done)) / 2)
