"""Joints from a rig: triangulates, decides which views agree, and says of every joint why it was kept or rejected."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from pipeline.geometry import triangulation


class Status(IntEnum):
    """What became of a joint."""

    NOT_DONE = 0
    VALID = 1
    NO_RIG = 2  # fewer than two views have a pose
    TOO_FEW_VIEWS = 3  # too few views saw it with confidence
    TOO_FEW_AGREE = 4  # too few views saw it near the triangulated point
    BEHIND_CAMERA = 5  # too few agree, as the point lies behind one of the views
    UNDETERMINED = 6  # the rays of the views that agree hardly cross


METHODS: dict[str, Callable[..., np.ndarray]] = {
    "robust": triangulation.robust,
    "dlt": triangulation.linear,
    "pairs": triangulation.pairs,
}
# A point whose standard deviation exceeds this share of its depth is not determined.
MOST_UNCERTAINTY = 0.1


@dataclass(frozen=True)
class Labelled:
    """Joints of a batch of frames; lengths in the rig's unit."""

    points: np.ndarray  # (F, J, 3) in the world; NaN unless valid
    status: np.ndarray  # (F, J) of Status
    used: np.ndarray  # (F, J, V) views that agree with the joint
    uncertainty: np.ndarray  # (F, J) root of the covariance's trace; NaN unless valid


def label(
    rays: np.ndarray, sigma: np.ndarray, limit: np.ndarray, R: np.ndarray, t: np.ndarray, *, method: str, min_views: int
) -> Labelled:
    """Triangulate rays (F, J, V, 2) and keep the joints on which at least `min_views` views agree.

    `sigma` (F, J, V) is the standard deviation expected, infinite where not seen, `limit` (F, J, V) the distance up
    to which a view agrees, all in normalised image units. Rigs are one, R (1, V, 3, 3), or one per frame.
    """
    posed = np.isfinite(t).all(-1)[:, None, :]
    seen = np.isfinite(rays).all(-1) & np.isfinite(sigma)
    able = seen & posed
    points = _triangulate(METHODS[method], rays, np.where(able, sigma, np.inf), R, t)
    distance, depth = triangulation.residuals(points, rays, R, t)
    used = able & (distance <= limit)
    covariance = triangulation.covariance(points, np.where(used, sigma, np.inf), R, t)
    uncertainty = np.sqrt(np.trace(covariance, axis1=-2, axis2=-1))
    nearest = np.min(np.where(used, depth, np.inf), axis=-1)

    # The first reason that holds is the one given.
    status = np.select(
        [
            np.broadcast_to(posed.sum(-1) < 2, able.shape[:2]),
            able.sum(-1) < min_views,
            (used.sum(-1) < min_views) & (able & (depth <= 0)).any(-1),
            used.sum(-1) < min_views,
            ~(uncertainty <= MOST_UNCERTAINTY * nearest),
        ],
        [Status.NO_RIG, Status.TOO_FEW_VIEWS, Status.BEHIND_CAMERA, Status.TOO_FEW_AGREE, Status.UNDETERMINED],
        Status.VALID,
    ).astype(np.uint8)
    valid = status == Status.VALID
    return Labelled(
        np.where(valid[..., None], points, np.nan),
        status,
        used & valid[..., None],
        np.where(valid, uncertainty, np.nan),
    )


def _triangulate(
    solve: Callable[..., np.ndarray], rays: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray
) -> np.ndarray:
    if len(R) == len(rays):
        return solve(rays, sigma, R, t)
    # One rig for all: frames and joints are just points.
    n_views = rays.shape[2]
    return solve(rays.reshape(-1, n_views, 2), sigma.reshape(-1, n_views), R[0], t[0]).reshape(*rays.shape[:2], 3)
