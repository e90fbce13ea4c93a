"""The uncertainty that rigs bring into labels that were each found from one frame.

The store has no covariance of these rigs, only the deviation of each view's rotation. How the cameras' errors depend on
each other follows from the frame's own joints: an adjustment of the cameras to these joints has that covariance. Its
size is the stated one.
"""

import numpy as np
from jaxtyping import Float

from pipeline.geometry.calibration.gauge import gauge_basis, units_of
from pipeline.geometry.triangulation.uncertainty.rig_motion import FRAMES, projection_jacobian
from pipeline.geometry.triangulation.uncertainty.rig_motion_kernel import POSE
from pipeline.shapes import check_shapes

# The least information about the cameras, as a share of the most.
TINY = 1e-9
FREEDOMS = 7  # of the world: rotation, translation, scale


@check_shapes(no_inf=("points", "R", "t", "rotation_std"))
def covariance_of_frame_rigs(
    points: Float[np.ndarray, "frame joint 3"],
    sigma: Float[np.ndarray, "frame joint view"],
    R: Float[np.ndarray, "frame view 3 3"],
    t: Float[np.ndarray, "frame view 3"],
    rotation_std: Float[np.ndarray, "frame view"],
) -> Float[np.ndarray, "frame joint 3 3"]:
    """The covariance of points that comes from one rig per frame, without what moves all points of a frame alike.

    `sigma` is infinite for the views that were not used, `rotation_std` is in radians. Missing points, views without a
    pose and deviations that are not known are NaN and move nothing. Raises ValueError for shapes that do not fit and
    for infinite points, rigs or deviations.
    """
    found = np.zeros((*points.shape, 3))
    for f in range(0, len(points), FRAMES):
        rows = slice(f, f + FRAMES)
        motion = _motion(points[rows], sigma[rows], R[rows], t[rows], rotation_std[rows])
        found[rows] = motion @ np.swapaxes(motion, -1, -2)
    return found


def _motion(
    points: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray, rotation_std: np.ndarray
) -> np.ndarray:
    """How far points move, (F, J, 3, K), for each of K independent errors of their frame's rig, of unit variance."""
    F, N, V = sigma.shape
    by_point, by_pose = np.zeros((F, N, V, 2, 3)), np.zeros((F, N, V, 2, POSE))
    for v in range(V):
        D, in_camera = projection_jacobian(points, R[:, v], t[:, v])
        weighted = np.nan_to_num(D / sigma[:, :, v, None, None])
        by_point[:, :, v] = weighted @ np.nan_to_num(R[:, v])[:, None]
        by_pose[:, :, v, :, :3] = np.cross(np.nan_to_num(in_camera)[:, :, None], weighted)
        by_pose[:, :, v, :, 3:] = weighted
    A = np.einsum("fnvki,fnvkj->fnij", by_point, by_point)
    pull = np.einsum("fnvki,fnvkp->fnivp", by_point, by_pose).reshape(F, N, 3, POSE * V)
    size = np.trace(A, axis1=-2, axis2=-1)[..., None, None]
    determined = np.linalg.det(A) > 1e-12 * size[..., 0, 0] ** 3
    inverse = np.linalg.inv(np.where(determined[..., None, None], A, np.eye(3)))
    step = -np.where(determined[..., None, None], inverse @ pull, 0.0)
    S = np.einsum("fnip,fniq->fpq", pull, step)
    for v in range(V):
        own = slice(POSE * v, POSE * (v + 1))
        S[:, own, own] += np.einsum("fnkp,fnkq,fn->fpq", by_pose[:, :, v], by_pose[:, :, v], determined)
    motion = np.zeros((F, N, 3, POSE * V))
    for f in range(F):
        root, world = _root(S[f], R[f], t[f], rotation_std[f])
        moved = step[f].reshape(3 * N, -1) @ np.concatenate([root, world], 1)
        basis, _ = np.linalg.qr(moved[:, root.shape[1] :])
        own_motion = moved[:, : root.shape[1]]
        own_motion -= basis @ (basis.T @ own_motion)
        motion[f, :, :, : root.shape[1]] = own_motion.reshape(N, 3, -1)
    return motion


def _root(S: np.ndarray, R: np.ndarray, t: np.ndarray, rotation_std: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A root (6 V, K) of the covariance of a frame's rig, and the steps (6 V, 7) of the whole world.

    `S` (6 V, 6 V) is the information about the cameras. No columns if nothing is known.
    """
    posed = np.isfinite(t).all(-1) & np.isfinite(rotation_std)
    world, rows = np.zeros((len(S), FREEDOMS)), np.repeat(posed, POSE)
    if posed.sum() < 2 or not S.any():
        return world[:, :0], world
    world[rows], units = gauge_basis(R[posed], t[posed]), units_of(R[posed], t[posed])
    basis, _ = np.linalg.qr(world[rows] / units[:, None], mode="complete")
    inside = basis[:, FREEDOMS:]
    information = inside.T @ (S[np.ix_(rows, rows)] * units[:, None] * units) @ inside
    values, vectors = np.linalg.eigh(information)
    values = np.maximum(values, TINY * float(values.max()))
    root = np.zeros((len(S), inside.shape[1]))
    root[rows] = inside @ vectors / np.sqrt(values) * units[:, None]
    turns = root.reshape(len(posed), POSE, -1)[:, :3]
    stated, own = float((rotation_std[posed] ** 2).sum()), float((turns**2).sum())
    return root * np.sqrt(stated / own), world
