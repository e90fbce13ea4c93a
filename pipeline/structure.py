"""PSS, the pose structure score: whether a pose falls into the same cluster of poses as the truth.

Kocabas et al., Self-Supervised Learning of 3D Human Pose using Multi-view Geometry, CVPR 2019. What the paper leaves
open is fixed here: poses are root-centred, in the frame of the camera that sees them (so facing left and facing right
are different structures), and divided by their norm over all joints; clusters are those of k-means on the training
recordings. A pose that lacks a joint has no score.
"""

import hashlib
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from pipeline.capture import Capture, read_capture
from pipeline.errors import UserError
from pipeline.params import StructureParams
from pipeline.skeleton import JOINTS, N_JOINTS, ROOT
from pipeline.stage import whole
from pipeline.stores import LABELS, TRUTH, reading

log = logging.getLogger("epiline")
NORMALISATION = "root-centred, camera frame, unit norm over all joints"
STARTS = 10  # of k-means; the best is kept
POSES_PER_BATCH = 65536


@dataclass(frozen=True)
class Reference:
    """Cluster centres of normalised poses, and where they come from."""

    centers: np.ndarray  # (k, joint, 3)
    about: dict[str, Any]

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
    flat = normalised(poses_mm).reshape(-1, N_JOINTS * 3)
    centers = reference.centers.reshape(reference.k, -1)
    found = np.full(len(flat), -1)
    for start in range(0, len(flat), POSES_PER_BATCH):
        batch = flat[start : start + POSES_PER_BATCH]
        # |pose - centre|^2 without what does not depend on the centre.
        nearest = np.argmin(np.sum(centers**2, axis=1) - 2 * batch @ centers.T, axis=1)
        found[start : start + POSES_PER_BATCH] = np.where(np.isfinite(batch).all(1), nearest, -1)
    return found.reshape(poses_mm.shape[:-2])


def pss(reference: Reference, predicted_mm: np.ndarray, true_mm: np.ndarray) -> np.ndarray:
    """1 where the predicted pose (..., joint, 3) falls in the cluster of the true one, else 0; NaN where incomplete.

    Both poses lie in the same camera's frame.
    """
    predicted, true = clusters(reference, predicted_mm), clusters(reference, true_mm)
    return np.where((predicted >= 0) & (true >= 0), (predicted == true).astype(float), np.nan)


def fit_references(frames: Path, labels: Path, structure: Path, params: StructureParams) -> None:
    """Cluster the poses of the training recordings for every k of the parameters, and write the references.

    Where the footage has no truth the labels stand in for it; `about` says which was used.
    Raises UserError where there are fewer poses than clusters.
    """
    capture = read_capture(frames)
    use_truth = params.source == "truth" and has_truth(capture, frames)
    source = "truth" if use_truth else "labels"
    if source != params.source:
        log.info("structure: the footage has no truth, so the references are fitted on the labels")
    found = list(_true_poses(capture, frames) if use_truth else _label_poses(capture, labels))
    poses = normalised(np.concatenate(found)) if found else np.empty((0, N_JOINTS, 3))
    poses = poses[np.isfinite(poses).all((1, 2))]
    references = [_fit(poses, k, source, params.seed) for k in params.k]
    _write(structure, references)


def has_truth(capture: Capture, frames: Path) -> bool:
    """Whether the true poses of the training recordings in their cameras' frames are known."""
    return (frames / "truth.zarr").exists() and any(
        recording.views[v].camera.known
        for recording in capture.recordings
        for v in recording.cameras(labelling=True)
        if recording.split == "train"
    )


def read_references(structure: Path) -> list[Reference]:
    """Read the references that `fit_references` wrote.

    Raises UserError where they are of another skeleton or normalisation; the message says both.
    """
    if not structure.exists():
        raise UserError(f"{structure} does not exist", fix="Run the stages before this one: dvc repro.")
    with np.load(structure) as file:
        about = json.loads(str(file["about"]))
        references = [Reference(file[f"centers_{one['k']}"].astype(float), one) for one in about]
    for reference in references:
        told = (reference.about["normalisation"], tuple(reference.about["joints"]))
        if told != (NORMALISATION, JOINTS):
            what = f"{structure} holds poses {told[0]} of joints {', '.join(told[1])}"
            raise UserError(f"{what}; this code has {NORMALISATION} of {', '.join(JOINTS)}", fix="Run dvc repro.")
    return references


def _true_poses(capture: Capture, frames: Path) -> Iterator[np.ndarray]:
    truth = reading(frames / "truth.zarr", TRUTH)
    for recording in capture.recordings:
        if recording.split == "train" and recording.name in truth:
            world = truth[recording.name]["joints_world_mm"]
            cameras = [recording.views[v].camera for v in recording.cameras(labelling=True)]
            yield from (camera.to_camera(world) for camera in cameras if camera.known)


def _label_poses(capture: Capture, labels: Path) -> Iterator[np.ndarray]:
    store = reading(labels, LABELS)
    for recording in capture.recordings:
        if recording.split == "train" and recording.name in store:
            cam = store[recording.name]["joints_cam_mm"]
            yield from (cam[:, v] for v in recording.cameras(labelling=True))


def _fit(poses: np.ndarray, k: int, source: str, seed: int) -> Reference:
    if len(poses) < k:
        what = f"structure.k = {k} is more than the {len(poses)} complete poses of the training recordings ({source})"
        raise UserError(what, where="params.yaml", fix="Use fewer clusters, or more footage.")
    flat = poses.reshape(len(poses), -1)
    with threadpool_limits(1):  # sums over several threads would depend on their number
        fitted = KMeans(n_clusters=k, n_init=STARTS, random_state=seed).fit(flat)
    centers = fitted.cluster_centers_.reshape(k, N_JOINTS, 3).astype(np.float32)
    about = {
        "k": k, "seed": seed, "starts": STARTS, "source": source, "n_poses": len(poses), "joints": JOINTS,
        "normalisation": NORMALISATION, "inertia": round(float(fitted.inertia_), 4),
        "sha256": hashlib.sha256(centers.tobytes()).hexdigest(),
    }  # fmt: skip
    log.info("structure: %d clusters of %d poses (%s), inertia %.4g", k, len(poses), source, fitted.inertia_)
    return Reference(centers, about)


def _write(structure: Path, references: list[Reference]) -> None:
    arrays: dict[str, Any] = {f"centers_{reference.k}": reference.centers for reference in references}
    arrays["about"] = json.dumps([reference.about for reference in references])
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    with whole(structure) as aside:
        aside.write_bytes(buffer.getvalue())
