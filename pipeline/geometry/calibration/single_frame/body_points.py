"""The points from which a frame is calibrated: the detector's landmarks, and which of them are the project's joints."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pipeline.shapes import check_shapes
from pipeline.skeleton import LIMB_JOINTS, N_JOINTS

# The least number of limb joints among the landmarks; with fewer, the joints are used besides the landmarks.
MIN_LIMB_JOINTS = 8
# Largest difference of the normalised image points of a joint and of the landmark that it is a copy of, and the least
# share of the joint's detections for which there is such a landmark.
SAME, SAME_SHARE = 1e-6, 0.9


@dataclass(frozen=True)
class BodyPoints:
    """Image points of one person's body."""

    points_norm: Float[np.ndarray, "frame point view 2"]
    sigma: Float[np.ndarray, "frame point view"]  # infinite where not seen
    of_joint: Int[np.ndarray, "joint=17"]  # the index of the point that is each joint; -1: none


@check_shapes(no_inf=("joints_norm", "landmarks_norm"))
def body_points(
    joints_norm: Float[np.ndarray, "frame joint=17 view 2"],
    joints_sigma: Float[np.ndarray, "frame joint=17 view"],
    landmarks_norm: Float[np.ndarray, "frame landmark view 2"],
    landmarks_sigma: Float[np.ndarray, "frame landmark view"],
) -> BodyPoints:
    """All landmarks, and the joints before them unless the limb joints are among the landmarks.

    If they are, a joint that is computed from several landmarks is none of the points, as its error is not its own.
    Raises ValueError for shapes that do not fit and infinite image points.
    """
    if landmarks_norm is joints_norm:
        return BodyPoints(joints_norm, joints_sigma, np.arange(N_JOINTS))
    of_joint = np.array([_copy_of(joints_norm[:, j], landmarks_norm) for j in range(N_JOINTS)])
    if (of_joint[LIMB_JOINTS] >= 0).sum() >= MIN_LIMB_JOINTS:
        return BodyPoints(landmarks_norm, landmarks_sigma, of_joint)
    both = np.concatenate([joints_norm, landmarks_norm], 1), np.concatenate([joints_sigma, landmarks_sigma], 1)
    return BodyPoints(*both, np.arange(N_JOINTS))


def _copy_of(joint_norm: np.ndarray, landmarks_norm: np.ndarray) -> int:
    """The index of the landmark with the same image points as a joint (F, V, 2); -1 if there is none."""
    found = np.isfinite(joint_norm).all(-1)
    if not found.any() or not landmarks_norm.shape[1]:
        return -1
    away = np.abs(landmarks_norm - joint_norm[:, None]).max(-1)
    same = ((away <= SAME) & found[:, None]).sum((0, 2)) / found.sum()
    best = int(same.argmax())
    return best if same[best] >= SAME_SHARE else -1
