"""What the 3D network sees and learns: one row per frame and view, from the manifest and the stores."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Literal

import numpy as np

from pipeline.capture import Capture, Recording
from pipeline.errors import UserError
from pipeline.geometry.camera.model import Camera
from pipeline.learning.engine.validation_split import validation
from pipeline.learning.images.crops import Crop, crop_of_box
from pipeline.learning.supervision import CameraSource, PoseTargets, TargetSource
from pipeline.skeleton import N_JOINTS, ROOT
from pipeline.stores import Poses2dStore

log = logging.getLogger("epiline")

# Side of the paper's crop, at the depth of the root.
METRIC_SIDE_MM = 2000.0
Showing = Literal["box", "metric"]


@dataclass(frozen=True)
class Samples:
    """N images of a person, with what is known of the pose; NaN where nothing is."""

    files: np.ndarray  # (N,) path of the packed frames
    frames: np.ndarray  # (N,) index in them
    recordings: np.ndarray  # (N,) name
    subjects: np.ndarray  # (N,) name
    center_px: np.ndarray  # (N, 2) of the upright crop
    side_px: np.ndarray  # (N,) of the upright crop
    focal_px: np.ndarray  # (N,)
    joints_px: np.ndarray  # (N, 17, 2) the label seen by the camera, lens distortion included
    joints_cam_mm: np.ndarray  # (N, 17, 3) the label
    uncertainty_mm: np.ndarray  # (N, 17) standard deviation of the label; 0: the truth

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

    @cached_property
    def seen(self) -> np.ndarray:
        """Whether each image has a person to crop, (N,)."""
        return np.isfinite(self.center_px).all(-1) & np.isfinite(self.side_px)

    def crop(self, row: int) -> Crop:
        """The upright crop of a sample."""
        return Crop(self.center_px[row], float(self.side_px[row]))


def training_recordings(
    capture: Capture, poses2d: Poses2dStore, target_source: TargetSource
) -> list[tuple[Recording, PoseTargets]]:
    """The training recordings that have 2D poses and something that teaches them.

    Raises UserError where there are none.
    """
    recordings = [r for r in capture.recordings if r.split == "train"]
    if not recordings:
        fix = "Take a subject out of capture.test_subjects."
        raise UserError(f"None of the {len(capture.recordings)} recordings is for training", where="capture", fix=fix)
    targets = [(r, target_source(r)) for r in recordings if r.name in poses2d]
    taught = [(recording, one) for recording, one in targets if one is not None]
    if not taught:
        found, fix = sorted({r.subject for r in recordings}), "Look at train.subjects and at what detect rejected."
        raise UserError(f"No training recording, of {', '.join(found)}, has 2D poses and a teacher", fix=fix)
    return taught


def training_samples(capture: Capture, poses2d: Poses2dStore, target_source: TargetSource, showing: Showing) -> Samples:
    """All frames that may teach: of training recordings, seen by views that are not kept for evaluation.

    Raises UserError where no recording is for training, or no label is valid.
    """
    taught = training_recordings(capture, poses2d, target_source)
    parts = [
        _view_samples(recording, view, targets.cameras[view], poses2d, targets, showing)
        for recording, targets in taught
        for view in recording.view_indices(for_labels=True)
    ]
    samples = Samples(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Samples)))
    known = np.isfinite(samples.joints_px).any((1, 2))
    log.info(
        "train: %d images of %d recordings; %d left out without a person, %d without a label",
        (samples.seen & known).sum(), len(taught), (~samples.seen).sum(), (samples.seen & ~known).sum(),
    )  # fmt: skip
    if not (samples.seen & known).any():
        raise UserError(
            f"None of {len(samples)} training images has a person and a valid label",
            fix="Look at the counts of rejected joints in the report; loosen triangulate.* or fix the calibration.",
        )  # fmt: skip
    return samples[samples.seen & known]


def split(samples: Samples, validation_subjects: list[str]) -> tuple[Samples, Samples]:
    """Training and held-out samples; the same where there are too few to keep any out."""
    apart = validation(samples.recordings, samples.subjects, samples.frames, validation_subjects)
    return (samples, samples) if apart.all() else (samples[~apart], samples[apart])


def all_samples(
    recording: Recording, cameras: CameraSource, poses2d: Poses2dStore, target_source: TargetSource, showing: Showing
) -> Iterator[Samples]:
    """Each view of a recording with all its frames; of labels, only the roots are looked at, where crops need them."""
    targets = target_source(recording) if showing == "metric" else None
    for view, camera in enumerate(cameras(recording)):
        yield _view_samples(recording, view, camera, poses2d, targets, showing)


def _view_samples(
    recording: Recording, index: int, camera: Camera, poses2d: Poses2dStore, targets: PoseTargets | None,
    showing: Showing,
) -> Samples:  # fmt: skip
    view = recording.views[index]
    box_px = poses2d[recording.name].person(0)["box_px"][:, index]
    n = len(box_px)
    if targets is None:
        joints_cam_mm, uncertainty_mm = np.full((n, N_JOINTS, 3), np.nan), np.full((n, N_JOINTS), np.nan)
    else:
        joints_cam_mm, uncertainty_mm = targets.joints_cam_mm[:, index], targets.uncertainty_mm
    if len(joints_cam_mm) != n:
        fix = "Run dvc repro to make them again."
        raise UserError(f"{n} frames of 2D poses, but {len(joints_cam_mm)} of labels", where=recording.name, fix=fix)
    joints_px = camera.project_cam(joints_cam_mm)
    focal_px = (camera.K[0, 0] + camera.K[1, 1]) / 2
    crops = [crop_of_box(box) for box in box_px]
    center_px, side_px = np.stack([crop.center_px for crop in crops]), np.array([crop.side_px for crop in crops])
    side_px[~np.isfinite(center_px).all(-1)] = np.nan
    if showing == "metric":  # the box is left where the root is not known
        root_px, root_depth_mm = joints_px[:, ROOT], joints_cam_mm[:, ROOT, 2]
        known = np.isfinite(root_px).all(-1)
        center_px[known], side_px[known] = root_px[known], (METRIC_SIDE_MM * focal_px / root_depth_mm)[known]
    return Samples(
        files=np.full(n, view.file), frames=np.arange(n), recordings=np.full(n, recording.name),
        subjects=np.full(n, recording.subject), center_px=center_px, side_px=side_px, focal_px=np.full(n, focal_px),
        joints_px=joints_px, joints_cam_mm=joints_cam_mm, uncertainty_mm=uncertainty_mm,
    )  # fmt: skip
