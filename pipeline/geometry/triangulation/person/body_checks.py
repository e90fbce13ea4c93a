"""Joints that cannot be right: bones that contradict the person's own lengths, and joints that leap away and back."""

import numpy as np
from jaxtyping import Bool, Float

from pipeline.geometry.triangulation.bone_lengths import UPPER
from pipeline.shapes import check_shapes
from pipeline.skeleton import BONES, JOINTS

# A bone contradicts the person's length if it is off by this share and by so many standard deviations.
WRONG_SHARE, WRONG_SIGMAS = 0.35, 5.0
# A body of which more than this share of the known bones is wrong is rejected as a whole.
WRONG_BODY = 0.34
# Of a wrong limb bone the outer joint is rejected: the inner one belongs to other bones, too.
OUTER = np.array([JOINTS[child][2:] in ("knee", "ankle", "elbow", "wrist") for _, child in BONES])
# A joint leaps if it moves by more than this speed and so many standard deviations, and back within so many frames.
LEAP_MM_S, LEAP_SIGMAS, LEAP_FRAMES = 15000.0, 5.0, 12


@check_shapes()
def wrong_proportions(
    joints: Float[np.ndarray, "frame joint=17 3"],
    covariance: Float[np.ndarray, "frame joint=17 6"],
    lengths: Float[np.ndarray, "bone=16"],
) -> Bool[np.ndarray, "frame joint=17"]:
    """Where joints contradict the person's bone lengths by more than their covariance explains.

    Of a wrong limb bone, the outer joint; of a body with many wrong bones, all joints. Raises ValueError for shapes
    that do not fit.
    """
    bone = joints[:, BONES[:, 1]] - joints[:, BONES[:, 0]]
    length = np.linalg.norm(bone, axis=-1)
    i, j = UPPER
    with np.errstate(invalid="ignore", divide="ignore"):
        direction = bone / length[..., None]
        error = covariance[:, BONES[:, 0]] + covariance[:, BONES[:, 1]]
        std = np.sqrt((error * direction[..., i] * direction[..., j] * np.where(i == j, 1, 2)).sum(-1))
        off = np.abs(length - lengths)
        wrong = (off > WRONG_SHARE * lengths) & (off > WRONG_SIGMAS * std)
    known = np.isfinite(length) & np.isfinite(lengths)
    found = np.zeros(joints.shape[:2], bool)
    found[:, BONES[OUTER, 1]] = wrong[:, OUTER]
    found |= (wrong.sum(1) > WRONG_BODY * np.maximum(known.sum(1), 3))[:, None]
    return found


@check_shapes()
def leaps(
    joints: Float[np.ndarray, "frame joint 3"],
    uncertainty: Float[np.ndarray, "frame joint"],
    fps: float,
    unit: float,
) -> Bool[np.ndarray, "frame joint"]:
    """Where a joint is between two leaps, away from where it comes from and back.

    `uncertainty` is the standard deviation of a joint, `unit` a millimetre in the unit of the joints. A frame's result
    depends on LEAP_FRAMES frames before and after it. Raises ValueError for shapes that do not fit.
    """
    found = np.zeros(joints.shape[:2], bool)
    step = LEAP_MM_S * unit / fps
    for f, j in np.argwhere(_is_leap(joints[:-1], joints[1:], uncertainty[:-1], uncertainty[1:], step)):
        for back in range(f + 2, min(f + 2 + LEAP_FRAMES, len(joints))):
            around = joints[[f, back - 1], j], joints[[back, back], j]
            errors = uncertainty[[f, back - 1], j], uncertainty[[back, back], j]
            away, returned = _is_leap(*around, *errors, np.array([step * (back - f), step]))
            if returned and not away and np.isfinite(joints[back, j]).all():
                found[f + 1 : back, j] = True
                break
    return found


def _is_leap(
    a: np.ndarray, b: np.ndarray, a_std: np.ndarray, b_std: np.ndarray, step: float | np.ndarray
) -> np.ndarray:
    """Whether joints (..., 3) are further apart than a motion of length `step` and their uncertainty explain."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.linalg.norm(a - b, axis=-1) > step + LEAP_SIGMAS * np.hypot(a_std, b_std))
