"""A person's bone lengths, which are constant over time, and the adjustment of joints to these lengths."""

import numpy as np
from jaxtyping import Float

from pipeline.geometry.array_layout import as_floats
from pipeline.geometry.triangulation.bone_lengths_kernel import refine_frames
from pipeline.geometry.triangulation.methods import ROBUST_WIDTH
from pipeline.geometry.triangulation.point_blocks import Rigs
from pipeline.shapes import check_shapes
from pipeline.skeleton import BONES, PARENTS

UPPER = np.triu_indices(3)
# Standard deviations in one median absolute deviation of a normal distribution.
NORMAL_MAD = 1.4826
# Mean length of an adult's 16 bones, which tells the unit of joints roughly.
MEAN_BONE_MM = 245.0
# The least number of frames from which a bone length is estimated.
MIN_FRAMES = 20


@check_shapes(no_inf=("joints",))
def own_lengths(
    joints: Float[np.ndarray, "frame joint=17 3"], covariance: Float[np.ndarray, "frame joint=17 6"] | None = None
) -> Float[np.ndarray, "bone=16"]:
    """Median length of each bone of one person, in the unit of the joints; NaN for a bone in too few frames.

    Errors across a bone lengthen it, and this bias is subtracted. The bias is computed from the joints' covariance (xx,
    xy, xz, yy, yz, zz), but limited to what the scatter of the lengths supports, because a detector's constant errors
    do not lengthen bones. Without a covariance, the bias is computed from the scatter only. Raises ValueError for other
    shapes and for infinite joints.
    """
    bone = joints[:, BONES[:, 1]] - joints[:, BONES[:, 0]]
    length = np.linalg.norm(bone, axis=-1)
    known = np.isfinite(length) & (length > 0)
    enough = known.sum(0) >= MIN_FRAMES
    length = np.where(known & enough, length, np.where(enough, np.nan, 0.0))
    scatter = NORMAL_MAD * np.nanmedian(np.abs(length - np.nanmedian(length, axis=0)), axis=0)
    across = 2 * scatter**2
    with np.errstate(invalid="ignore", divide="ignore"):
        if covariance is not None:
            across = _variance_across(bone, length, covariance, scatter, enough)
        corrected = length - np.minimum(across / (2 * length), 0.5 * length)
    return np.where(enough, np.nanmedian(np.where(enough, corrected, 0.0), axis=0), np.nan)


def _variance_across(
    bone: Float[np.ndarray, "frame bone 3"],
    length: Float[np.ndarray, "frame bone"],
    covariance: Float[np.ndarray, "frame joint 6"],
    scatter: Float[np.ndarray, " bone"],
    enough: np.ndarray,
) -> Float[np.ndarray, "frame bone"]:
    """Variance of the bones' ends across them, reduced if the lengths scatter less than their covariance predicts."""
    error = covariance[:, BONES[:, 0]] + covariance[:, BONES[:, 1]]
    i, j = UPPER
    direction = bone / length[..., None]
    along = (error * direction[..., i] * direction[..., j] * np.where(i == j, 1, 2)).sum(-1)
    across = error[..., i == j].sum(-1) - along
    share = np.where(enough, scatter**2 / np.nanmedian(np.where(enough, along, 0.0), axis=0), 0.0)
    return np.asarray(across * np.minimum(share, 1.0))


def lengths_of(joints: Float[np.ndarray, "*batch joint=17 3"]) -> Float[np.ndarray, "*batch bone=16"]:
    """Lengths of the bones of bodies."""
    return np.asarray(np.linalg.norm(joints[..., BONES[:, 1], :] - joints[..., BONES[:, 0], :], axis=-1))


def millimetre(joints: Float[np.ndarray, "frame joint=17 3"], lengths: Float[np.ndarray, "bone=16"]) -> float:
    """About a millimetre in the unit of the joints, from the person's bone lengths, or from the joints if unknown."""
    if not np.isfinite(lengths).any():
        own = lengths_of(joints)
        known = np.isfinite(own).any(0)
        lengths = np.where(known, np.nanmedian(np.where(known, own, 0.0), axis=0), np.nan)
    ok = np.isfinite(lengths)
    return float(lengths[ok].mean()) / MEAN_BONE_MM if ok.any() else 1.0


@check_shapes(no_inf=("joints", "points_norm", "R", "t", "lengths"))
def fit_bone_lengths(
    joints: Float[np.ndarray, "frame joint=17 3"],
    points_norm: Float[np.ndarray, "frame joint=17 view 2"],
    sigma: Float[np.ndarray, "frame joint=17 view"],
    R: Float[np.ndarray, "rig view 3 3"],
    t: Float[np.ndarray, "rig view 3"],
    lengths: Float[np.ndarray, "bone=16"],
    tolerance: float,
) -> tuple[Float[np.ndarray, "frame joint=17 3"], Float[np.ndarray, "frame joint=17 6"]]:
    """Adjust joints to the normalised image points and to the bone lengths, with robust costs for both.

    `sigma` is the standard deviation of an image point, infinite where not seen; `tolerance` is the standard deviation
    of a bone length, in the unit of the joints. Rotations and translations are one rig or one for each frame. Joints
    and lengths that are NaN are ignored. Gauss-Newton over all joints of a frame at once; a step that raises the
    frame's cost is shortened. Also returns the joints' covariance (xx, xy, xz, yy, yz, zz); NaN for NaN joints. Raises
    ValueError for shapes that do not fit and for infinite values other than those of sigma.
    """
    if len(R) not in (1, len(joints)):
        raise ValueError(f"fit_bone_lengths: {len(R)} rigs for {len(joints)} frames; give one, or one for each frame.")
    rigs = Rigs.of(R, t)
    middle, unit = rigs.world[:, None, :3], rigs.world[:, 3:]
    moved = np.ascontiguousarray((joints - middle) / unit[..., None])
    covariance = np.full((*joints.shape[:2], 6), np.nan)
    of_joint = np.full(len(PARENTS), np.nan)
    of_joint[BONES[:, 1]] = lengths
    x, s = (as_floats(np.swapaxes(a, 1, 2)) for a in (points_norm, sigma))
    refine_frames(moved, x, s, rigs.P, of_joint / unit, tolerance / unit[:, 0], PARENTS, ROBUST_WIDTH, covariance)
    return moved * unit[..., None] + middle, covariance * unit[..., None] ** 2
