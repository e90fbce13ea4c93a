"""The score: poses are normalised, assigned to the nearest cluster centre, and compared with the true pose's."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.skeleton import JOINTS, N_JOINTS, ROOT

# The normalisation of poses before clustering; references with another normalisation are refused.
SPACE = {
    "joints": list(JOINTS),
    "centring": "pelvis at the origin",
    "orientation": "frame of the camera that sees the pose",  # so that facing left and facing right differ
    "size": "norm 1 over all joints",
}
POSES_PER_BATCH = 65536


@dataclass(frozen=True)
class Reference:
    """Cluster centres of normalised poses, and how they were fitted."""

    centers: np.ndarray  # (k, joint, 3)
    metadata: dict[str, Any]

    @property
    def k(self) -> int:
        """The number of clusters."""
        return len(self.centers)


def normalised(poses_mm: np.ndarray) -> np.ndarray:
    """Root-centred poses (..., joint, 3) of norm 1; NaN if a joint is missing or all joints coincide with the root."""
    centred = poses_mm - poses_mm[..., ROOT : ROOT + 1, :]
    norm = np.linalg.norm(centred, axis=(-1, -2), keepdims=True)
    return np.asarray(np.divide(centred, norm, out=np.full_like(centred, np.nan), where=norm > 0))


def clusters(reference: Reference, poses_mm: np.ndarray) -> np.ndarray:
    """Index (...) of the nearest centre of each pose (..., joint, 3) in a camera's frame; -1 for incomplete poses.

    Raises ValueError for poses of another skeleton.
    """
    if poses_mm.shape[-2:] != reference.centers.shape[1:]:
        raise ValueError(
            f"Poses of shape {poses_mm.shape[-2:]}, but a reference of shape {reference.centers.shape[1:]}."
        )
    poses = poses_mm.reshape(-1, N_JOINTS, 3)
    centers = reference.centers.reshape(reference.k, -1)
    found = np.full(len(poses), -1)
    for start in range(0, len(poses), POSES_PER_BATCH):
        batch = normalised(poses[start : start + POSES_PER_BATCH]).reshape(-1, N_JOINTS * 3)
        # |pose - centre|^2 without the term |pose|^2, which is the same for all centres.
        nearest = np.argmin(np.sum(centers**2, axis=1) - 2 * batch @ centers.T, axis=1)
        found[start : start + POSES_PER_BATCH] = np.where(np.isfinite(batch).all(1), nearest, -1)
    return found.reshape(poses_mm.shape[:-2])


def pss(reference: Reference, predicted_mm: np.ndarray, true_mm: np.ndarray) -> np.ndarray:
    """1 where a predicted pose (..., joint, 3) falls in the cluster of the true pose, else 0; NaN where incomplete.

    Both poses are in the frame of the same camera. Raises ValueError for different shapes.
    """
    if predicted_mm.shape != true_mm.shape:
        raise ValueError(f"Poses of {predicted_mm.shape} cannot be compared with poses of {true_mm.shape}.")
    predicted, true = clusters(reference, predicted_mm), clusters(reference, true_mm)
    return np.where((predicted >= 0) & (true >= 0), (predicted == true).astype(float), np.nan)
