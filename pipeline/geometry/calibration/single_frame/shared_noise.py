"""The noise of the detections, from all frames: of each landmark in each view, and shared by landmarks close together.

A detector is less accurate for some landmarks, and for some from some sides. Landmarks that lie close together, such
as those of the face or of a hand, have similar errors: together they tell less than as many apart.
"""

import numpy as np
from jaxtyping import Float

from pipeline.shapes import check_shapes

# Limits of the noise of a landmark in a view over the median noise.
LIMITS = 0.3, 5.0
# The number of detections at which a landmark's own noise counts as much as the median noise.
PRIOR_DETECTIONS = 5.0
# Distance in mm between landmarks at which the correlation of their errors is 1 / e.
CORRELATION_MM = 120.0


@check_shapes()
def noise_of_landmarks(
    distance: Float[np.ndarray, "frame point view"],
) -> Float[np.ndarray, "point view"]:
    """The noise of each landmark in each view over the median noise, from distances in standard deviations.

    NaN: not seen. A landmark that a view seldom sees has nearly the median noise. Raises ValueError for another shape.
    """
    n = np.isfinite(distance).sum(0)
    median = np.full(n.shape, np.nan)
    median[n > 0] = np.nanmedian(np.where(n > 0, distance, 0.0), axis=0)[n > 0]
    known = distance[np.isfinite(distance)]
    overall = float(np.median(known)) if len(known) else 0.0
    if not overall > 0:
        return np.ones(n.shape)
    share = np.clip(np.where(n > 0, median, overall) / overall, *LIMITS)
    return np.asarray(share ** (n / (n + PRIOR_DETECTIONS)))


@check_shapes(no_inf=("points_mm",))
def noise_of_crowding(points_mm: Float[np.ndarray, "frame point 3"]) -> Float[np.ndarray, " point"]:
    """The factor on each landmark's sigma that accounts for the errors it shares with the landmarks close to it.

    n landmarks in one place get the factor root n, so that they count as one. Distances are medians over frames. Raises
    ValueError for shapes that do not fit and infinite points.
    """
    between = np.linalg.norm(points_mm[:, :, None] - points_mm[:, None], axis=-1)
    known = np.isfinite(between).any(0)
    distance = np.where(known, np.nanmedian(np.where(known, between, 0.0), axis=0), np.inf)
    correlation = np.exp(-((distance / CORRELATION_MM) ** 2))
    np.fill_diagonal(correlation, 1.0)
    return np.asarray(np.sqrt(correlation.sum(1)))
