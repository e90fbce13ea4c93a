"""Errors of bone lengths: against the truth, and between left and right.

A bone has the index of the joint at its end. No bone ends in the root, so the root's figure is missing.
"""

import numpy as np
from jaxtyping import Float

from pipeline.metrics import kernels
from pipeline.metrics.poses import flat
from pipeline.shapes import check_shapes
from pipeline.skeleton import LIMB_JOINTS, MIRROR, N_JOINTS, PARENTS

_OF_LIMBS = np.isin(np.arange(N_JOINTS), LIMB_JOINTS)


@check_shapes()
def bone_lengths(poses_mm: Float[np.ndarray, "*batch joint=17 3"]) -> Float[np.ndarray, "*batch joint=17"]:
    """Length of the bone that ends in each joint, in mm."""
    found = np.empty(poses_mm.shape[:-1])
    kernels.bone_lengths(flat(poses_mm), PARENTS, found.reshape(-1, N_JOINTS))
    return found


@check_shapes()
def bone_errors(
    predicted_mm: Float[np.ndarray, "*batch joint=17 3"], true_mm: Float[np.ndarray, "*batch joint=17 3"]
) -> Float[np.ndarray, "*batch joint=17"]:
    """Absolute difference between the predicted and the true length of each bone, in mm."""
    return np.abs(bone_lengths(predicted_mm) - bone_lengths(true_mm))


@check_shapes()
def symmetry_errors(poses_mm: Float[np.ndarray, "*batch joint=17 3"]) -> Float[np.ndarray, "*batch joint=17"]:
    """Absolute difference between the lengths of each limb bone and its mirror image, in mm.

    Both joints of a pair have the same value; joints in the middle of the body are missing.
    """
    found = bone_lengths(poses_mm)
    return np.where(_OF_LIMBS, np.abs(found - found[..., MIRROR]), np.nan)
