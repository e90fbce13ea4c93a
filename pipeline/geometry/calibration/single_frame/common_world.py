"""One world for rigs that were each found from one frame.

The world frame of such a rig is the frame of one of its cameras. The errors of one frame's rig bend it: aligned by its
cameras, which stand far from the person, the rig puts the person several centimetres from where the person is. So where
the cameras stand still, the rig is aligned by the person instead.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from pipeline.geometry.align import nearest_rotation, rig_similarity, similarity
from pipeline.geometry.calibration.calibrated_rig import Rig
from pipeline.geometry.camera import reprojection
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.shapes import check_shapes

# Passes of the alternation between the mean rig and the rigs aligned to it, by their cameras and by the person.
CAMERA_PASSES, PERSON_PASSES = 4, 2
# The mean rig holds in a frame if the median joint is nearer to its projection than this, in standard deviations.
MAX_MEDIAN_DISTANCE = 3.0
MIN_JOINTS = 6


def in_one_world(rigs: Sequence[Rig | None]) -> list[Rig | None]:
    """Bring the rigs of the frames of a recording into one world by their cameras; each keeps its own scale.

    Each rig is aligned rigidly to the mean rig, which has the mean rotation and the mean centre of each camera. The
    alternation of aligning and averaging is generalised Procrustes analysis. A rig that shares fewer than two cameras
    with the mean rig becomes None. Raises ValueError if there is no rig.
    """
    found = [rig for rig in rigs if rig is not None]
    if not found:
        raise ValueError("in_one_world: no frame has a rig.")
    first = max(found, key=lambda rig: int(rig.has_extrinsics.sum()))
    R, centers = first.R, first.centers
    aligned: list[Rig | None] = list(rigs)
    for _ in range(CAMERA_PASSES):
        aligned = [None if rig is None else _aligned(rig, R, centers) for rig in rigs]
        R, centers = _mean_rig([rig for rig in aligned if rig is not None])
    return aligned


@check_shapes(no_inf=("joints_cam", "points_norm"))
def align_by_person(
    rigs: Sequence[Rig | None],
    joints_cam: Float[np.ndarray, "frame joint 3"],
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
) -> list[Rig | None]:
    """Align each rig so that the person is where the mean rig of all frames puts the person in that frame.

    The rigs are those of `in_one_world`. `joints_cam` are each frame's joints in the frame of the first camera that its
    rig has, in the rig's unit; sigma is the standard deviation of the normalised image points. A rig keeps its world if
    the mean rig does not hold in its frame, because cameras have moved, or if too few joints are known. Raises
    ValueError for shapes that do not fit and for infinite joints and image points.
    """
    aligned = list(rigs)
    for _ in range(PERSON_PASSES):
        R, centers = _mean_rig([rig for rig in aligned if rig is not None])
        t = -np.einsum("vij,vj->vi", R, centers)
        known = np.array([rig.has_extrinsics if rig else np.zeros(len(t), bool) for rig in aligned])
        s = np.where(known[:, None], sigma, np.inf)
        target = triangulation.robust(points_norm, s, R, t)
        distance, _ = reprojection.residuals(target, points_norm, R, t)
        ratio = np.where(np.isfinite(s) & np.isfinite(distance), distance / s, np.nan)
        aligned = [
            rig if rig is None else _with_person_at(rig, joints_cam[f], target[f], ratio[f])
            for f, rig in enumerate(aligned)
        ]
    return aligned


def _with_person_at(rig: Rig, joints_cam: np.ndarray, target: np.ndarray, ratio: np.ndarray) -> Rig:
    """The rig moved so that its joints (J, 3) lie at the target (J, 3), unless the distances (J, V) contradict that."""
    known = ratio[np.isfinite(ratio)]
    view = int(rig.has_extrinsics.argmax())
    joints = (joints_cam - rig.t[view]) @ rig.R[view]
    both = np.isfinite(joints).all(-1) & np.isfinite(target).all(-1)
    if both.sum() < MIN_JOINTS or not np.median(known) <= MAX_MEDIAN_DISTANCE:
        return rig
    _, Q, shift = similarity(joints, target, scale=False)
    return rig.in_axes(Q.T, -Q.T @ shift)


def _aligned(rig: Rig, R: np.ndarray, centers: np.ndarray) -> Rig | None:
    """A rig aligned rigidly to the rig R (V, 3, 3), centers (V, 3); None if they share fewer than two cameras."""
    shared = rig.has_extrinsics & np.isfinite(centers).all(-1)
    if shared.sum() < 2:
        return None
    _, Q, _ = rig_similarity(rig.R, rig.centers, R, centers)
    shift = centers[shared].mean(0) - Q @ rig.centers[shared].mean(0)
    return rig.in_axes(Q.T, -Q.T @ shift)


def _mean_rig(rigs: Sequence[Rig]) -> tuple[np.ndarray, np.ndarray]:
    """The mean rotation (V, 3, 3) and the mean centre (V, 3) of each camera; NaN for a camera that no rig has."""
    R, centers = np.stack([rig.R for rig in rigs]), np.stack([rig.centers for rig in rigs])
    known = np.isfinite(centers).all(-1)
    n, seen = known.sum(0), known.any(0)
    R_mean, center_mean = np.full(R.shape[1:], np.nan), np.full(centers.shape[1:], np.nan)
    R_mean[seen] = nearest_rotation(np.where(known[..., None, None], R, 0).sum(0)[seen])
    center_mean[seen] = np.where(known[..., None], centers, 0).sum(0)[seen] / n[seen, None]
    return R_mean, center_mean
