"""The score itself: poses normalised, given to their nearest cluster centre, and compared with the truth's."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.skeleton import JOINTS, N_JOINTS, ROOT

# What a pose is before it is clustered; a reference of anything else is refused.
SPACE = {
    "joints": list(JOINTS),
    "centring": "pelvis at the origin",
    "orientation": "frame of the camera that sees the pose",  # facing left and facing right are different structures
    "size": "norm 1 over all joints",
}
POSES_PER_BATCH = 65536


@dataclass(frozen=True)
class Reference:
    """Cluster centres of normalised poses, and where they come from."""

    centers: np.ndarray  # (k, joint, 3)
    metadata: dict[str, Any]

    @property
    def k(self) -> int:
        """The number of clusters."""
        return len(self.centers)


def normalised(poses_mm: np.ndarray) -> np.ndarray:
    """Root-centred poses (..., joint, 3) of norm 1; missing where a joint is missing or all lie in the root."""
    centred = poses_mm - poses_mm[..., ROOT : ROOT + 1, :]
    norm = np.linalg.norm(centred, axis=(-1, -2), keepdims=True)
    return np.divide(centred, norm, out=np.full_like(centred, np.nan), where=norm > 0)


def clusters(reference: Reference, poses_mm: np.ndarray) -> np.ndarray:
    """Index of the nearest centre of each pose (..., joint, 3) of a camera's frame; -1 for incomplete poses.

    Raises ValueError for poses of another skeleton.
    """
    if poses_mm.shape[-2:] != reference.centers.shape[1:]:
        raise ValueError(f"Poses of {poses_mm.shape[-2:]}, but a reference of {reference.centers.shape[1:]}.")
    poses = poses_mm.reshape(-1, N_JOINTS, 3)
    centers = reference.centers.reshape(reference.k, -1)
    found = np.full(len(poses), -1)
    for start in range(0, len(poses), POSES_PER_BATCH):
        batch = normalised(poses[start : start + POSES_PER_BATCH]).reshape(-1, N_JOINTS * 3)
        # |pose - centre|^2 without what does not depend on the centre.
        nearest = np.argmin(np.sum(centers**2, axis=1) - 2 * batch @ centers.T, axis=1)
        found[start : start + POSES_PER_BATCH] = np.where(np.isfinite(batch).all(1), nearest, -1)
    return found.reshape(poses_mm.shape[:-2])


def pss(reference: Reference, predicted_mm: np.ndarray, true_mm: np.ndarray) -> np.ndarray:
    """1 where the predicted pose (..., joint, 3) falls in the cluster of the true one, else 0; NaN where incomplete.

    Both poses lie in the same camera's frame. Raises ValueError for poses of other skeletons or lengths.
    """
    if predicted_mm.shape != true_mm.shape:
        raise ValueError(f"Poses of {predicted_mm.shape} cannot be compared with poses of {true_mm.shape}.")
    predicted, true = clusters(reference, predicted_mm), clusters(reference, true_mm)
    return np.where((predicted >= 0) & (true >= 0), (predicted == true).astype(float), np.nan)
