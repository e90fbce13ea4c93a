"""Scale in millimetres and the vertical of a rig, from the people in it."""

from itertools import pairwise

import numpy as np
from jaxtyping import Float

from pipeline.geometry.triangulation.bone_lengths import own_lengths
from pipeline.shapes import check_shapes
from pipeline.skeleton import BONES, joint

# Distances in mm between the joint centres of an average adult: the mean of Drillis and Contini's shares of a stature
# of 1720 mm (Body segment parameters, 1966) and of the means over men and women of P. de Leva (Adjustments to
# Zatsiorsky-Seluyanov's segment inertia parameters, 1996). Only limbs, as every detector defines the trunk differently.
ADULT_LIMBS_MM = (
    (("hip", "knee"), 408.0),
    (("knee", "ankle"), 428.0),
    (("shoulder", "elbow"), 299.0),
    (("elbow", "wrist"), 259.0),
)
# The bones whose lengths add up to the stature, except the height of the ankle above the ground.
STATURE = ("ankle", "knee", "hip"), ("pelvis", "spine", "thorax", "neck", "head")
# Height of the ankle's centre as a share of the stature: Drillis and Contini, Body segment parameters, 1966.
ANKLE_SHARE = 0.039
# Above this median angle to the vertical, people are bent or lying too often to estimate it.
MAX_TILT_DEG = 35.0


def bone_scale(
    joints: Float[np.ndarray, "frame joint=17 3"], covariance: Float[np.ndarray, "frame joint=17 6"] | None = None
) -> float:
    """Millimetres per unit of one subject's joints, from mean adult limbs; NaN if no limb is known.

    Bone lengths are corrected for noise by `own_lengths`. Raises ValueError as `own_lengths` does.
    """
    lengths = _lengths(joints, covariance)
    ratios = [length_mm / _limb(lengths, *ends) for ends, length_mm in ADULT_LIMBS_MM]
    return _median(np.array(ratios))


def height_scale(
    joints: Float[np.ndarray, "frame joint=17 3"],
    height_mm: float,
    covariance: Float[np.ndarray, "frame joint=17 6"] | None = None,
) -> float:
    """Millimetres per unit of one subject's joints, from the stature; NaN if one of its bones is unknown."""
    lengths = _lengths(joints, covariance)
    leg = sum(_limb(lengths, a, b) for a, b in pairwise(STATURE[0]))
    trunk = sum(_bone(lengths, a, b) for a, b in pairwise(STATURE[1]))
    return float(height_mm * (1 - ANKLE_SHARE) / (leg + trunk))


def _lengths(
    joints: Float[np.ndarray, "frame joint 3"], covariance: Float[np.ndarray, "frame joint 6"] | None
) -> Float[np.ndarray, "bone=16"]:
    """Length of each bone; the uncorrected median if there are too few frames to estimate the noise."""
    own = own_lengths(joints, covariance)
    seen = np.linalg.norm(joints[:, BONES[:, 1]] - joints[:, BONES[:, 0]], axis=-1)
    return np.where(np.isfinite(own), own, [_median(one) for one in seen.T])


def _limb(lengths: np.ndarray, start: str, end: str) -> float:
    sides = [_bone(lengths, f"{side}_{start}", f"{side}_{end}") for side in "lr"]
    return float(np.mean(sides)) if np.isfinite(sides).all() else _median(np.array(sides))


def _bone(lengths: np.ndarray, a: str, b: str) -> float:
    ends = {joint(a), joint(b)}
    return float(next(length for bone, length in zip(BONES, lengths, strict=True) if set(bone.tolist()) == ends))


def _median(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


@check_shapes(no_inf=("joints",))
def up_direction(joints: Float[np.ndarray, "frame joint=17 3"]) -> Float[np.ndarray, "3"] | None:
    """The vertical, upwards, from joints of people who mostly stand: the median direction from ankles to thorax.

    None if the people are bent or lying too often. Raises ValueError for another shape and infinite joints.
    """
    ankles = (joints[:, joint("l_ankle")] + joints[:, joint("r_ankle")]) / 2
    body = joints[:, joint("thorax")] - ankles
    body = body[np.isfinite(body).all(-1)]
    if not len(body):
        return None
    body /= np.linalg.norm(body, axis=-1, keepdims=True)
    up = np.median(body, axis=0)
    length = float(np.linalg.norm(up))
    if length == 0:
        return None
    tilt_deg = np.degrees(np.arccos(np.clip(body @ up / length, -1, 1)))
    return up / length if np.median(tilt_deg) <= MAX_TILT_DEG else None


@check_shapes()
def upright_axes(up: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3 3"]:
    """Axes as columns: z along the unit vector `up`, x orthogonal to it and nearest to a given axis."""
    x = np.eye(3)[np.argmin(np.abs(up) - 1e-6 * np.arange(3, 0, -1))]
    x = x - (x @ up) * up
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(up, x), up], -1)
