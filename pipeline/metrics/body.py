"""Whether a body keeps its measures: lengths of the bones against the truth, and of left against right.

A bone is named by the joint it ends in, so figures are (..., joint) and missing for the root.
"""

import numpy as np

from pipeline.metrics import kernels
from pipeline.metrics.poses import flat
from pipeline.skeleton import LIMB_JOINTS, MIRROR, N_JOINTS, PARENTS

_OF_LIMBS = np.isin(np.arange(N_JOINTS), LIMB_JOINTS)


def bone_lengths(poses_mm: np.ndarray) -> np.ndarray:
    """Length of the bone that ends in each joint of the poses (..., joint, 3), (..., joint)."""
    found = np.empty(poses_mm.shape[:-1])
    kernels.bone_lengths(flat(poses_mm), PARENTS, found.reshape(-1, N_JOINTS))
    return found


def bone_errors(predicted_mm: np.ndarray, true_mm: np.ndarray) -> np.ndarray:
    """Difference between the predicted and the true length of each bone, without its sign, (..., joint)."""
    return np.abs(bone_lengths(predicted_mm) - bone_lengths(true_mm))


def symmetry_errors(poses_mm: np.ndarray) -> np.ndarray:
    """Difference between the lengths of each limb bone and its mirror image, without its sign, (..., joint).

    Both joints of a pair hold their difference; joints of the middle are missing.
    """
    found = bone_lengths(poses_mm)
    return np.where(_OF_LIMBS, np.abs(found - found[..., MIRROR]), np.nan)
