"""The residuals of a calibrated rig by view and by landmark."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pipeline.geometry.camera import reprojection
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.shapes import check_shapes

# The median of fewer distances is not stated.
FEWEST = 5


@dataclass(frozen=True)
class Residuals:
    """Median distances of all detections from the projections of the triangulated points, outliers included.

    In normalised units; NaN of fewer than five detections, and where the view has no extrinsics.
    """

    by_view: Float[np.ndarray, " view"]
    by_landmark: Float[np.ndarray, "landmark view"]


@check_shapes(no_inf=("points_norm",))
def residuals_by_landmark(
    points_norm: Float[np.ndarray, "frame landmark view 2"],
    sigma: Float[np.ndarray, "frame landmark view"],
    R: Float[np.ndarray, "*rig view 3 3"],
    t: Float[np.ndarray, "*rig view 3"],
) -> Residuals:
    """Triangulate all landmarks robustly and compare them with their detections.

    `sigma` is the expected standard deviation of the image points, infinite where not seen. Extrinsics are of the rig
    or of each frame; NaN: none. Raises ValueError for shapes that do not fit and for infinite image points.
    """
    points = triangulation.robust(points_norm, sigma, R, t)
    distance, _ = reprojection.residuals(points, points_norm, R, t)
    distance = np.where(np.isfinite(sigma) & np.isfinite(distance), distance, np.nan)
    return Residuals(_medians(distance.reshape(-1, distance.shape[-1])), _medians(distance))


def _medians(values: np.ndarray) -> np.ndarray:
    """Medians over the first dimension of the values that are not NaN; NaN of too few."""
    medians = np.full(values.shape[1:], np.nan)
    known = np.isfinite(values).sum(0) >= FEWEST
    medians[known] = np.nanmedian(values[:, known], axis=0)
    return medians
