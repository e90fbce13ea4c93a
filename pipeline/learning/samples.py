"""What the 3D network sees and learns: one row per frame and view, from the manifest and the stores."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np

from pipeline.capture import Capture, Recording, View
from pipeline.errors import UserError
from pipeline.geometry.camera import project
from pipeline.skeleton import ROOT
from pipeline.stores import LABELS, TRUTH, Store, reading

log = logging.getLogger("epiline")


@dataclass(frozen=True)
class Samples:
    """N images of a person, with what is known of the pose; NaN where nothing is."""

    files: np.ndarray  # (N,) path of the packed frames
    frames: np.ndarray  # (N,) index in them
    recordings: np.ndarray  # (N,) name
    box_px: np.ndarray  # (N, 4) the detector's
    focal_px: np.ndarray  # (N,)
    joints_px: np.ndarray  # (N, 17, 2) the label seen by the camera, lens distortion included
    joints_cam_mm: np.ndarray  # (N, 17, 3) the label

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, rows: np.ndarray) -> "Samples":
        return Samples(*(getattr(self, field.name)[rows] for field in fields(self)))

    @cached_property
    def relative_depth(self) -> np.ndarray:
        """Depth from the root over the root's depth, (N, 17): it does not change with the scale of the labels."""
        depth = self.joints_cam_mm[..., 2]
        root = depth[:, ROOT : ROOT + 1]
        return (depth - root) / root


# The label of a recording: joints in each view's camera frame (F, V, 17, 3).
Teacher = Callable[[Recording], np.ndarray]


def training_samples(capture: Capture, frames: Path, labels: Path, poses2d: Store, supervision: str) -> Samples:
    """All frames that may teach: of training recordings, seen by views that are not kept for evaluation.

    Raises UserError where no recording is for training, no label is valid, or there is no truth to supervise with.
    """
    recordings = [r for r in capture.recordings if r.split == "train"]
    if not recordings:
        fix = "Take a subject out of capture.test_subjects."
        raise UserError(f"None of the {len(capture.recordings)} recordings is for training", where="capture", fix=fix)
    teacher = _truth(frames) if supervision == "full" else _labels(labels)
    parts = [
        _view_samples(recording, view, poses2d, joints[:, view])
        for recording, joints in ((r, teacher(r)) for r in recordings if r.name in poses2d)
        for view in recording.cameras(labelling=True)
    ]
    samples = _joined(parts)
    seen, known = np.isfinite(samples.box_px).all(-1), np.isfinite(samples.joints_px).any((1, 2))
    log.info(
        "train: %d images of %d recordings; %d left out without a person, %d without a label",
        (seen & known).sum(), len(recordings), (~seen).sum(), (seen & ~known).sum(),
    )  # fmt: skip
    if not (seen & known).any():
        raise UserError(
            f"None of {len(samples)} training images has a person and a valid label", where=str(labels),
            fix="Look at the counts of rejected joints in the report; loosen triangulate.* or fix the calibration.",
        )  # fmt: skip
    return samples[seen & known]


def all_samples(recording: Recording, poses2d: Store) -> Iterator[tuple[int, Samples]]:
    """Each view of a recording with all its frames, without labels."""
    for view in recording.cameras():
        unknown = np.full((poses2d[recording.name].n_rows, 17, 3), np.nan)
        yield view, _view_samples(recording, view, poses2d, unknown)


def _labels(path: Path) -> Teacher:
    """The cached labels: nothing but what the footage itself told."""
    store = reading(path, LABELS)

    def joints_cam_mm(recording: Recording) -> np.ndarray:
        if recording.name not in store:
            return np.full((recording.n_frames, len(recording.views), 17, 3), np.nan)
        return store[recording.name]["joints_cam_mm"]

    return joints_cam_mm


def _truth(frames: Path) -> Teacher:
    """The truth, with the footage's own extrinsics."""
    path, fix = frames / "truth.zarr", "Use train.supervision: self."
    if not path.exists():
        raise UserError("train.supervision = full requires the truth, which this footage does not have", fix=fix)
    store = reading(path, TRUTH)

    def joints_cam_mm(recording: Recording) -> np.ndarray:
        joints = store[recording.name]["joints_world_mm"]
        if not all(view.camera.known for view in recording.views):
            what = "train.supervision = full requires the extrinsics of every view, which are not all given"
            raise UserError(what, where=recording.name, fix=fix)
        return np.stack([view.camera.to_camera(joints) for view in recording.views], 1)

    return joints_cam_mm


def _view_samples(recording: Recording, view_index: int, poses2d: Store, joints_cam_mm: np.ndarray) -> Samples:
    view: View = recording.views[view_index]
    camera = view.camera
    box_px = poses2d[recording.name]["box_px"][:, view_index]
    n = len(box_px)
    if len(joints_cam_mm) != n:
        fix = "Run dvc repro to make them again."
        raise UserError(f"{n} frames of 2D poses, but {len(joints_cam_mm)} of labels", where=recording.name, fix=fix)
    return Samples(
        files=np.full(n, view.file), frames=np.arange(n), recordings=np.full(n, recording.name), box_px=box_px,
        focal_px=np.full(n, (camera.K[0, 0] + camera.K[1, 1]) / 2),
        joints_px=project(joints_cam_mm, camera.K, camera.dist), joints_cam_mm=joints_cam_mm,
    )  # fmt: skip


def _joined(parts: list[Samples]) -> Samples:
    if not parts:
        raise UserError("No training recording has 2D poses", where="poses2d", fix="Look at what detect rejected.")
    return Samples(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Samples)))
