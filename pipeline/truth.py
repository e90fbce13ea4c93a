"""The truth of a capture as its cameras see it.

The true joints of a recording are in a world. Usually it is that of the cameras given with the footage. Truth with a
world of its own (`TruthSummary.is_aligned`) is seen by the cameras that `calibrate` found, brought into its world: the
similarity that fits the truth to the labels of the whole recording says where they stand. Nothing that makes labels may
import this module.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from pipeline.capture import Recording
from pipeline.geometry.align import similarity
from pipeline.geometry.camera.model import Camera
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.stores import LABELS, RIGS, TRUTH, LabelStore, RigStore, TruthStore, open_store

# Frames that an alignment is fitted to, evenly spaced, and the fewest joints that it needs.
MAX_FRAMES, MIN_JOINTS = 4096, 100
# Labels off by more than this many times the median distance are left out of the fit, which is repeated so often.
OUTLIER, PASSES = 3.0, 3


@dataclass(frozen=True)
class TruthCameras:
    """The cameras of a recording's views in the world of its true joints; NaN where a pose is unknown."""

    intrinsics: Sequence[Camera]
    R_cam_from_world: Float[np.ndarray, "rig view 3 3"]  # one rig for all frames or one for each
    t_cam_from_world_mm: Float[np.ndarray, "rig view 3"]

    @property
    def has_pose(self) -> Bool[np.ndarray, " view"]:
        """Whether the pose of each view is known in any frame."""
        known: Bool[np.ndarray, " view"] = np.isfinite(self.t_cam_from_world_mm).all(-1).any(0)
        return known

    def to_cameras(
        self, joints_world_mm: Float[np.ndarray, "frame joint 3"], start: int = 0
    ) -> Float[np.ndarray, "frame view joint 3"]:
        """The joints of frames from `start` on, in each camera's frame."""
        rows = slice(start, start + len(joints_world_mm)) if len(self.R_cam_from_world) > 1 else slice(0, 1)
        R, t = self.R_cam_from_world[rows], self.t_cam_from_world_mm[rows]
        return np.asarray(joints_world_mm[:, None] @ np.swapaxes(R, -1, -2) + t[:, :, None])

    def project(self, joints_world_mm: Float[np.ndarray, "frame joint 3"]) -> Float[np.ndarray, "frame view joint 2"]:
        """The pixels of the joints of all frames in each view."""
        in_cameras = self.to_cameras(joints_world_mm)
        return np.stack([camera.project_cam(in_cameras[:, v]) for v, camera in enumerate(self.intrinsics)], 1)


@dataclass(frozen=True)
class Alignment:
    """The similarity that fits a recording's truth to its labels: x_label = scale * R @ x_true + t."""

    scale: float
    R: Float[np.ndarray, "3 3"]
    t: Float[np.ndarray, "3"]
    rms_mm: float  # distance of the labels from the truth that is left, root of the mean square


class Truth:
    """The true joints of a capture, and the cameras in their world."""

    def __init__(self, store: TruthStore, labels: LabelStore | None, rigs: RigStore | None) -> None:
        self.store, self._labels, self._rigs = store, labels, rigs
        self._alignments: dict[str, Alignment | None] = {}

    @property
    def is_aligned(self) -> bool:
        """Whether the labels say where the cameras stand in the world of the joints."""
        return self._labels is not None

    def __contains__(self, recording: Recording) -> bool:
        return recording.name in self.store

    def joints_world_mm(self, recording: Recording) -> Float[np.ndarray, "frame 17 3"]:
        """The true joints of a recording."""
        return self.store[recording.name].person(0)["joints_world_mm"]

    def cameras(self, recording: Recording) -> TruthCameras:
        """The cameras of a recording in the world of its true joints."""
        if self._labels is not None and self._rigs is not None:
            alignment = self.alignment(recording)
            if alignment is not None:
                return _found_cameras(alignment, recording, self._rigs)
            given = [view.camera.with_extrinsics(None, None) for view in recording.views]
        else:
            given = [view.camera for view in recording.views]
        R = [np.full((3, 3), np.nan) if c.R_cam_from_world is None else c.R_cam_from_world for c in given]
        t = [np.full(3, np.nan) if c.t_cam_from_world_mm is None else c.t_cam_from_world_mm for c in given]
        return TruthCameras(given, np.array([R], float), np.array([t], float))

    def alignment(self, recording: Recording) -> Alignment | None:
        """The alignment of a recording's truth; None without enough labels, and if its world is that of the cameras."""
        if recording.name not in self._alignments:
            self._alignments[recording.name] = self._fitted(recording.name)
        return self._alignments[recording.name]

    def _fitted(self, name: str) -> Alignment | None:
        labels, rigs = self._labels, self._rigs
        if labels is None or rigs is None or not all(name in store for store in (self.store, labels, rigs)):
            return None
        true, own = self.store[name].person(0), labels[name].person(0)
        rows = linspace_indices(min(true.n_rows, own.n_rows), MAX_FRAMES)
        return fit_alignment(
            true.at("joints_world_mm", rows), own.at("joints_world_mm", rows), own.at("uncertainty_mm", rows)
        )


def open_truth(truth: Path, labels: Path, rigs: Path) -> Truth | None:
    """The truth of a capture; None if there is none.

    Labels and rigs are read only if the truth has a world of its own. Raises UserError for stores that are missing or
    have another version.
    """
    if not truth.exists():
        return None
    store = open_store(truth, TRUTH)
    if not store.summary.is_aligned:
        return Truth(store, None, None)
    return Truth(store, open_store(labels, LABELS), open_store(rigs, RIGS))


def fit_alignment(
    true_mm: Float[np.ndarray, "frame 17 3"],
    labels: Float[np.ndarray, "frame 17 3"],
    uncertainty: Float[np.ndarray, "frame 17"],
) -> Alignment | None:
    """Fit the truth to labels, the more certain of which count more; None for fewer than MIN_JOINTS of both.

    The truth has no noise, so that the scale is not biased. Labels far off are left out.
    """
    a, b = true_mm.reshape(-1, 3), labels.reshape(-1, 3)
    known = np.isfinite(a).all(-1) & np.isfinite(b).all(-1)
    if known.sum() < MIN_JOINTS:
        return None
    a, b, variance = a[known], b[known], np.square(uncertainty.ravel()[known])
    usual = np.median(variance[np.isfinite(variance)]) if np.isfinite(variance).any() else 1.0
    weights = 1 / (np.where(np.isfinite(variance), variance, usual) + max(usual, 1e-12))
    kept = np.ones(len(a), bool)
    for _ in range(PASSES):
        scale, R, t = similarity(a[kept], b[kept], weights=weights[kept])
        distance = np.linalg.norm(scale * a @ R.T + t - b, axis=-1)
        kept = distance <= OUTLIER * np.median(distance) + 1e-9
    return Alignment(float(scale), R, t, float(np.sqrt((distance**2).mean()) / scale))


def _found_cameras(alignment: Alignment, recording: Recording, rigs: RigStore) -> TruthCameras:
    """The cameras of a recording as found, in the world and the unit of its truth."""
    group = rigs[recording.name]
    R, t = group["R_cam_from_world"], group["t_cam_from_world_mm"]
    moved = (np.einsum("rvij,j->rvi", R, alignment.t) + t) / alignment.scale
    return TruthCameras(group.record.intrinsics, R @ alignment.R, moved)
