"""How far the views of a point contradict each other."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pipeline.geometry.camera import reprojection
from pipeline.shapes import check_shapes

# Unknowns of a point.
UNKNOWNS = 3


@dataclass(frozen=True)
class Agreement:
    """Residuals of the views of each point in the unit of their expected variance."""

    chi2: Float[np.ndarray, "frame joint *view"]  # sum of the squared residuals
    dof: Float[np.ndarray, "frame joint *view"]  # number of the residuals less that of the point's unknowns


@check_shapes(no_inf=("points_norm", "R", "t"))
def agreement(
    points: Float[np.ndarray, "frame joint 3"],
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    limit: Float[np.ndarray, "frame joint view"],
    R: Float[np.ndarray, "rig view 3 3"],
    t: Float[np.ndarray, "rig view 3"],
) -> tuple[Agreement, Float[np.ndarray, "frame joint view"]]:
    """The agreement of all detections, used or not, with points (NaN for missing points), and the points' depths.

    A detection further than `limit` away counts as one at the limit: it is an outlier, or all others are. Raises
    ValueError for shapes that do not fit and for infinite image points or rigs.
    """
    distance, depth = reprojection.residuals(points, points_norm, R, t)
    seen = np.isfinite(sigma) & ~np.isnan(distance)
    chi2 = np.where(seen, (np.minimum(distance, limit) / sigma) ** 2, 0.0).sum(-1)
    dof = np.maximum(2.0 * seen.sum(-1) - UNKNOWNS, 0.0)
    missing = np.isnan(points).any(-1)
    return Agreement(np.where(missing, np.nan, chi2), np.where(missing, np.nan, dof)), depth
