"""The noise of each landmark in each view, so that an adjustment weighs landmarks by what they are worth."""

import numpy as np
from jaxtyping import Float

from pipeline.shapes import check_shapes

# Limits of the noise of a landmark in a view over the median noise.
LIMITS = 0.3, 5.0
MIN_DETECTIONS = 5
# Relative standard deviation of the median of n distances, times the root of n.
MEDIAN_STD = 0.8
# Variance of the logarithm of the noise that equal detectors show, as views and landmarks have different leverage.
LEVERAGE_VARIANCE = 0.03
# Squared logarithms of the noise up to this multiple of the variance by chance count as 0.
CHANCES = 2.0


@check_shapes()
def landmark_noise(distance: Float[np.ndarray, "frame landmark view"]) -> Float[np.ndarray, "landmark view"]:
    """The noise of each landmark in each view over the median noise; all are exactly 1 if they do not differ.

    Distances of the detections from the projected points are in expected standard deviations; NaN: not seen. The ratios
    of the medians are shrunk by what they may have by chance (nonnegative garrote: Breiman, Better subset regression,
    1995). Raises ValueError for another shape.
    """
    n = np.isfinite(distance).sum(0)
    known = n >= MIN_DETECTIONS
    if not known.any():
        return np.ones(n.shape)
    ordered = np.sort(distance, axis=0)  # NaN last
    median = np.take_along_axis(ordered, np.maximum(n // 2, 0)[None].clip(max=len(ordered) - 1), 0)[0]
    overall = np.median(np.repeat(median[known], n[known]))
    if not overall > 0:
        return np.ones(n.shape)
    ratio = np.where(known, np.log(np.where(known, median, overall) / overall + 1e-9), 0.0)
    chance = MEDIAN_STD**2 / np.maximum(n, 1) + LEVERAGE_VARIANCE
    shrunk = ratio * np.maximum(1 - CHANCES * chance / np.maximum(ratio**2, 1e-12), 0)
    return np.where(known, np.clip(np.exp(shrunk), *LIMITS), 1.0)
