"""How the uncertainty of the cameras' poses moves triangulated points and their projections.

A pose's error (w, d) turns x_cam into exp(w) x_cam + d, as in `bundle.Uncertainty`. `root` (6 V, K) is a root of the
covariance of all views' (w, d): covariance = root @ root.T.
"""

import numpy as np
from jaxtyping import Float

from pipeline.geometry.array_layout import as_captured, as_floats, rig_of_each
from pipeline.geometry.triangulation.uncertainty.rig_motion_kernel import POSE, point_motion
from pipeline.shapes import check_shapes

# Frames whose motions are held in memory at once.
FRAMES = 256


def pose_root(pose_covariance: Float[np.ndarray, "unknown unknown"]) -> Float[np.ndarray, "unknown column"]:
    """A root of the covariance of all poses; the unknowns of views without a known covariance (NaN) do not move."""
    known = np.isfinite(np.diagonal(pose_covariance))
    C = np.where(known[:, None] & known, np.nan_to_num(pose_covariance), 0.0)
    variance, axes = np.linalg.eigh((C + C.T) / 2)
    keep = variance > 1e-12 * max(float(variance.max(initial=0.0)), 1e-300)
    return np.ascontiguousarray(axes[:, keep] * np.sqrt(variance[keep]))


@check_shapes(no_inf=("points", "R", "t", "root"))
def motion_of_points(
    points: Float[np.ndarray, "frame joint 3"],
    sigma: Float[np.ndarray, "frame joint view"],
    R: Float[np.ndarray, "rig view 3 3"],
    t: Float[np.ndarray, "rig view 3"],
    root: Float[np.ndarray, "unknown column"],
) -> Float[np.ndarray, "frame joint 3 column"]:
    """How far points move for each column of `root`; `sigma` is infinite for the views that were not used.

    Raises ValueError for shapes that do not fit and for infinite points, rigs or roots.
    """
    motion = np.empty((*points.shape, root.shape[1]))
    rig = rig_of_each(R, t, points.shape[:1])
    point_motion(as_floats(points), as_captured(sigma, axis=-2), *rig, as_floats(root), motion)
    return motion


@check_shapes(no_inf=("points", "R", "t", "root"))
def rig_covariance(
    points: Float[np.ndarray, "frame joint 3"],
    sigma: Float[np.ndarray, "frame joint view"],
    R: Float[np.ndarray, "rig view 3 3"],
    t: Float[np.ndarray, "rig view 3"],
    root: Float[np.ndarray, "unknown column"],
) -> Float[np.ndarray, "frame joint 3 3"]:
    """The covariance of points that comes from the rig; the arguments are those of `motion_of_points`."""
    found = np.zeros((*points.shape, 3))
    if not root.shape[1]:
        return found
    for start in range(0, len(points), FRAMES):
        rows = slice(start, start + FRAMES)
        own = (R, t) if len(R) == 1 else (R[rows], t[rows])
        motion = motion_of_points(points[rows], sigma[rows], *own, root)
        found[rows] = motion @ np.swapaxes(motion, -1, -2)
    return found


@check_shapes(no_inf=("points", "R", "t", "root"))
def motion_of_projections(
    points: Float[np.ndarray, "frame joint 3"],
    motion: Float[np.ndarray, "frame joint 3 column"],
    view: int,
    R: Float[np.ndarray, "rig view 3 3"],
    t: Float[np.ndarray, "rig view 3"],
    root: Float[np.ndarray, "unknown column"],
) -> Float[np.ndarray, "frame joint 2 column"]:
    """How far the projections of moving points into a view move, in normalised units, the view's own motion included.

    Raises ValueError for shapes that do not fit and for infinite points, rigs or roots.
    """
    D, in_camera = projection_jacobian(points, R[:, view], t[:, view])
    own = root[POSE * view : POSE * (view + 1)]
    moved = R[:, view][:, None] @ motion
    turned = np.cross(own[:3].T, in_camera[:, :, None]).swapaxes(-1, -2)
    return np.asarray(D @ (moved + turned + own[3:]))


def projection_jacobian(
    points: Float[np.ndarray, "frame joint 3"], R: Float[np.ndarray, "rig 3 3"], t: Float[np.ndarray, "rig 3"]
) -> tuple[Float[np.ndarray, "frame joint 2 3"], Float[np.ndarray, "frame joint 3"]]:
    """The derivative of a view's normalised projections by the points in its camera's frame, and these points."""
    in_camera = points @ np.swapaxes(R, -1, -2) + t[:, None]
    depth = np.where(in_camera[..., 2] > 0, in_camera[..., 2], np.nan)
    D = np.zeros((*points.shape[:-1], 2, 3))
    D[..., 0, 0] = D[..., 1, 1] = 1 / depth
    D[..., 2] = -in_camera[..., :2] / (depth**2)[..., None]
    return D, in_camera
