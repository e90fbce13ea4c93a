"""What changes over a run: the learning rate and the size of the images."""

import math

from pipeline.learning.backbones import STRIDE

WARM_UP = 0.05  # share of the steps
FINAL = 0.01  # share of the peak
# The first steps see smaller images: at less than half the cost, the pose at large before its detail.
SMALL_SHARE_OF_STEPS, SMALL_SHARE_OF_SIDE = 0.65, 2 / 3


def learning_rate(peak: float, step: int, n_steps: int) -> float:
    """Linear warm-up to the peak, then half a cosine down to a hundredth of it."""
    warm_up = max(1, round(WARM_UP * n_steps))
    if step < warm_up:
        return peak * (step + 1) / warm_up
    done = (step - warm_up) / max(1, n_steps - warm_up)
    return peak * (FINAL + (1 - FINAL) * (1 + math.cos(math.pi * done)) / 2)


def image_sizes(input_px: int, n_steps: int) -> list[tuple[int, int]]:
    """Side of the images in pixels and number of steps, of each phase of a run."""
    small_px = max(STRIDE, round(SMALL_SHARE_OF_SIDE * input_px / STRIDE) * STRIDE)
    n_small = round(SMALL_SHARE_OF_STEPS * n_steps)
    return [(small_px, n_small), (input_px, n_steps - n_small)]
