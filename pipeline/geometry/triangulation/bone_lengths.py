"""Own bone lengths: a person's bones keep their lengths, which corrects the joints of single frames.

The skeleton is a tree, and a bone ties its two joints along one direction alone. So the normal equations of all
joints of a frame are solved from the leaves to the root and back, one 3 x 3 block a joint.
"""

import numpy as np

from pipeline.geometry.array_layout import as_floats
from pipeline.geometry.triangulation.bone_lengths_kernel import refine_frames
from pipeline.geometry.triangulation.methods import ROBUST_WIDTH
from pipeline.geometry.triangulation.point_blocks import Rigs
from pipeline.skeleton import BONES, PARENTS

UPPER = np.triu_indices(3)
# Standard deviations in one median absolute deviation of a normal distribution.
NORMAL_MAD = 1.4826
# A bone length is known from this many frames on.
FEWEST_FRAMES = 20


def own_lengths(joints: np.ndarray, covariance: np.ndarray | None = None) -> np.ndarray:
    """Length of each bone (16,) in the unit of one person's joints (F, J, 3): a median; NaN where seen too rarely.

    Errors across a bone lengthen it. What they add is taken off: as the covariance (F, J, 6: xx, xy, xz, yy, yz, zz)
    of the joints says, but no more than the scatter of the lengths bears out, as a detector's constant errors lengthen
    nothing; without a covariance from that scatter alone.
    """
    bone = joints[:, BONES[:, 1]] - joints[:, BONES[:, 0]]
    length = np.linalg.norm(bone, axis=-1)
    known = np.isfinite(length) & (length > 0)
    enough = known.sum(0) >= FEWEST_FRAMES
    length = np.where(known & enough, length, np.where(enough, np.nan, 0.0))
    scatter = NORMAL_MAD * np.nanmedian(np.abs(length - np.nanmedian(length, axis=0)), axis=0)
    along, across = scatter**2, 2 * scatter**2
    with np.errstate(invalid="ignore", divide="ignore"):
        if covariance is not None:
            error = covariance[:, BONES[:, 0]] + covariance[:, BONES[:, 1]]
            i, j = UPPER
            direction = bone / length[..., None]
            along = (error * direction[..., i] * direction[..., j] * np.where(i == j, 1, 2)).sum(-1)
            across = error[..., i == j].sum(-1) - along
            share = np.where(enough, scatter**2 / np.nanmedian(np.where(enough, along, 0.0), axis=0), 0.0)
            across = across * np.minimum(share, 1.0)
        corrected = length - np.minimum(across / (2 * length), 0.5 * length)
    return np.where(enough, np.nanmedian(np.where(enough, corrected, 0.0), axis=0), np.nan)


def fit_bone_lengths(
    joints: np.ndarray,
    points_norm: np.ndarray,
    sigma: np.ndarray,
    R: np.ndarray,
    t: np.ndarray,
    lengths: np.ndarray,
    tolerance: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Joints (F, J, 3) moved to fit both the rays and the bone lengths (16,), to about the tolerance, robustly both.

    Rays (F, J, V, 2), sigma (F, J, V), one rig R (1, V, 3, 3) or one per frame; NaN joints and lengths take no part.
    Gauss-Newton over all joints of a frame at once; a step that does not improve the frame is shortened. Also gives
    the joints' covariance (F, J, 6: xx, xy, xz, yy, yz, zz); NaN for NaN joints.
    """
    rigs = Rigs.of(R, t)
    middle, unit = rigs.world[:, None, :3], rigs.world[:, 3:]
    moved = np.ascontiguousarray((joints - middle) / unit[..., None])
    covariance = np.full((*joints.shape[:2], 6), np.nan)
    of_joint = np.full(len(PARENTS), np.nan)
    of_joint[BONES[:, 1]] = lengths
    x, s = (as_floats(np.swapaxes(a, 1, 2)) for a in (points_norm, np.broadcast_to(sigma, points_norm.shape[:-1])))
    refine_frames(moved, x, s, rigs.P, of_joint / unit, tolerance / unit[:, 0], PARENTS, ROBUST_WIDTH, covariance)
    return moved * unit[..., None] + middle, covariance * unit[..., None] ** 2
