"""The gauge of labels: a rig's uncertainty without the part that only moves, rotates and scales all labels alike.

The world of a self-calibrated rig is arbitrary. Its covariance is in a gauge of the cameras, where the mean camera does
not move. In it, labels far from the cameras' middle, or of two cameras, seem to move by far more than they move against
each other.
"""

import numpy as np
from jaxtyping import Float

from pipeline.geometry.calibration.gauge import gauge_basis
from pipeline.geometry.triangulation.uncertainty.rig_motion import motion_of_points
from pipeline.geometry.triangulation.uncertainty.rig_motion_kernel import POSE
from pipeline.shapes import check_shapes


@check_shapes(no_inf=("root", "points", "R", "t"))
def relative_to_points(
    root: Float[np.ndarray, "unknown column"],
    points: Float[np.ndarray, "frame joint 3"],
    sigma: Float[np.ndarray, "frame joint view"],
    R: Float[np.ndarray, "1 view 3 3"],
    t: Float[np.ndarray, "1 view 3"],
    *,
    scale: bool,
) -> Float[np.ndarray, "unknown column"]:
    """The root of a rig's covariance in the gauge of labels.

    From each column of `root` (see `rig_motion`), the step of the cameras is taken away that moves the world by the
    rotation, translation and, with `scale`, scaling that fits the motion of `points` best. Missing points are NaN;
    `sigma` is infinite for the views that were not used. Raises ValueError for shapes that do not fit and for infinite
    points, rigs or roots.
    """
    free = np.zeros((len(root), 7 if scale else 6))
    for v in np.flatnonzero(np.isfinite(t[0]).all(-1)):
        free[POSE * v : POSE * (v + 1)] = gauge_basis(R[0, v : v + 1], t[0, v : v + 1])[:, : free.shape[1]]
    motion = motion_of_points(points, sigma, R, t, np.concatenate([root, free], axis=1)).reshape(
        -1, len(free.T) + len(root.T)
    )
    of_root, of_world = np.split(motion[np.isfinite(motion).all(-1)], [root.shape[1]], axis=1)
    return np.asarray(root - free @ np.linalg.lstsq(of_world, of_root)[0])
