"""Detections compared with the joints that the other views make without them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pipeline.geometry.triangulation.labelling import UPPER, Labelled
from pipeline.geometry.triangulation.uncertainty.agreement import Agreement, agreement
from pipeline.geometry.triangulation.uncertainty.rig_motion import (
    motion_of_points,
    motion_of_projections,
    projection_jacobian,
)
from pipeline.shapes import check_shapes


@dataclass(frozen=True)
class LeftOutViews:
    """Each detection against its prediction from the other views; NaN if it was not used, or without a prediction.

    Squares are in the unit of the variance of one coordinate that the detector's expected noise predicts.
    """

    squared: Float[np.ndarray, "frame joint view"]  # squared distance, the sum of two coordinates
    std: Float[np.ndarray, "frame joint view"]  # the root of that unit, in normalised image units
    by_rig: Float[np.ndarray, "frame joint view"]  # the square that the rig's uncertainty predicts
    rest: Agreement  # of the other views with the joint that they make; (frame, joint, view)


@check_shapes(no_inf=("points_norm", "R", "t", "root"))
def leave_views_out(
    triangulate: Callable[[np.ndarray], Labelled],
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    limit: Float[np.ndarray, "frame joint view"],
    R: Float[np.ndarray, "rig view 3 3"],
    t: Float[np.ndarray, "rig view 3"],
    root: Float[np.ndarray, "unknown column"],
) -> LeftOutViews:
    """Leave out each view in turn; `triangulate` makes labels from a sigma that is infinite for the view left out.

    `root` is that of the rig's covariance (see `rig_motion.pose_root`). The detections that disagree with the label of
    all views are not compared: they were not used. Raises ValueError for shapes that do not fit and for infinite image
    points or rigs.
    """
    used = triangulate(sigma).used
    squared, std, by_rig, chi2, dof = (np.full(sigma.shape, np.nan) for _ in range(5))
    for v in np.flatnonzero(used.any((0, 1))):
        others = np.where(np.arange(sigma.shape[2]) == v, np.inf, sigma)
        made = triangulate(others)
        D, in_camera = projection_jacobian(made.points, R[:, v], t[:, v])
        error = points_norm[:, :, v] - in_camera[..., :2] / in_camera[..., 2:]
        J = D @ R[:, v][:, None]
        C = np.empty((*made.points.shape, 3))
        C[..., UPPER[0], UPPER[1]] = C[..., UPPER[1], UPPER[0]] = made.covariance
        variance = np.einsum("fnij,fnjk,fnik->fn", J, C, J) / 2 + sigma[:, :, v] ** 2
        there = used[:, :, v] & np.isfinite(variance)
        squared[..., v] = np.where(there, (error**2).sum(-1) / variance, np.nan)
        std[..., v] = np.where(there, np.sqrt(variance), np.nan)
        motion = motion_of_points(made.points, np.where(made.used, others, np.inf), R, t, root)
        moved = motion_of_projections(made.points, motion, int(v), R, t, root)
        by_rig[..., v] = np.where(there, (moved**2).sum((-2, -1)) / variance, np.nan)
        rest, _ = agreement(made.points, points_norm, others, limit, R, t)
        chi2[..., v], dof[..., v] = (np.where(there, values, np.nan) for values in (rest.chi2, rest.dof))
    return LeftOutViews(squared, std, by_rig, Agreement(chi2, dof))
