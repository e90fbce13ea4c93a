"""The samples of the volumetric network: one for each frame and view, from the manifest and the stores."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from pipeline.capture import Capture, Recording
from pipeline.errors import UserError
from pipeline.geometry.camera.model import Camera
from pipeline.learning.engine.validation_split import validation_mask
from pipeline.learning.images.crops import Crop, crop_of_box
from pipeline.learning.supervision import PoseTargets, TargetReader
from pipeline.learning.training_alerts import NoTrainingDataError
from pipeline.skeleton import N_JOINTS, ROOT
from pipeline.stores import Poses2dStore

log = logging.getLogger("epiline")


@dataclass(frozen=True)
class Samples:
    """Images of a person with the crop around the person and the target pose; NaN where unknown."""

    files: Shaped[np.ndarray, " sample"]  # path of the packed frames
    frames: Int[np.ndarray, " sample"]  # index in them
    recordings: Shaped[np.ndarray, " sample"]  # name
    subjects: Shaped[np.ndarray, " sample"]  # name
    center_px: Float[np.ndarray, "sample 2"]  # of the upright crop
    side_px: Float[np.ndarray, " sample"]  # of the upright crop
    detected_root_px: Float[np.ndarray, "sample 2"]
    focal_px: Float[np.ndarray, " sample"]
    joints_px: Float[np.ndarray, "sample 17 2"]  # projected target, lens distortion included
    joints_cam_mm: Float[np.ndarray, "sample 17 3"]  # target
    uncertainty_mm: Float[np.ndarray, "sample 17"]  # standard deviation of the target; 0 for the truth

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, rows: np.ndarray) -> "Samples":
        return Samples(*(getattr(self, field.name)[rows] for field in fields(self)))

    @cached_property
    def relative_depth(self) -> Float[np.ndarray, "sample 17"]:
        """Depth from the root divided by the root's depth; the ratio does not depend on the scale of the targets."""
        depth = self.joints_cam_mm[..., 2]
        root = depth[:, ROOT : ROOT + 1]
        relative: np.ndarray = (depth - root) / root
        return relative

    @cached_property
    def has_person(self) -> Bool[np.ndarray, " sample"]:
        """Whether each image has a person to crop."""
        finite: np.ndarray = np.isfinite(self.center_px).all(-1) & np.isfinite(self.side_px)
        return finite

    def crop(self, row: int) -> Crop:
        """The upright crop of a sample."""
        return Crop(self.center_px[row], float(self.side_px[row]))


def training_recordings(
    capture: Capture, poses2d: Poses2dStore, read_targets: TargetReader
) -> list[tuple[Recording, PoseTargets]]:
    """The training recordings that have 2D poses and targets, with their targets.

    Raises UserError if there are no training recordings, and NoTrainingDataError if none has 2D poses and targets.
    """
    recordings = [r for r in capture.recordings if r.split == "train"]
    if not recordings:
        fix = "Take a subject out of capture.test_subjects."
        raise UserError(f"None of the {len(capture.recordings)} recordings is for training", where="capture", fix=fix)
    candidates = [(r, read_targets(r)) for r in recordings if r.name in poses2d]
    training = [(recording, targets) for recording, targets in candidates if targets is not None]
    if not training:
        subjects = ", ".join(sorted({r.subject for r in recordings}))
        fix = "Check train.subjects, and the recordings that detect and calibrate rejected."
        raise NoTrainingDataError(f"No training recording, of {subjects}, has 2D poses and training targets", fix=fix)
    return training


def training_samples(
    capture: Capture, poses2d: Poses2dStore, read_targets: TargetReader, *, needs_scale: bool = False
) -> Samples:
    """The images with a person and a target, of training recordings, in the labelling views.

    Crops are around the detector's boxes. Raises NoTrainingDataError if there are no such images, and UserError if a
    scale is needed and unknown.
    """
    training = training_recordings(capture, poses2d, read_targets)
    for recording, targets in training:
        if needs_scale and not targets.has_scale:
            what = "train.crop = metric is 2000 mm wide, but nothing fixed the scale of the rig"
            fix = "Set calibrate.scale to bones, height or baseline, or train.crop to box."
            raise UserError(what, where=recording.name, fix=fix)
    parts = [
        _view_samples(recording, view, targets.cameras[view], poses2d, targets)
        for recording, targets in training
        for view in recording.view_indices(for_labels=True)
    ]
    samples = Samples(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Samples)))
    has_target = np.isfinite(samples.joints_px).any((1, 2))
    usable = samples.has_person & has_target
    log.info(
        "train: %d images of %d recordings; left out: %d without a person, %d without a target",
        usable.sum(), len(training), (~samples.has_person).sum(), (samples.has_person & ~has_target).sum(),
    )  # fmt: skip
    if not usable.any():
        raise NoTrainingDataError(
            f"None of {len(samples)} training images has a person and a valid label",
            fix="See the numbers of rejected joints in the report; loosen triangulate.* or fix the calibration.",
        )  # fmt: skip
    if not np.isfinite(samples.relative_depth[usable, 1:]).any():
        what = f"None of {usable.sum()} training images has a label of the pelvis, from which depths are measured"
        raise NoTrainingDataError(what, fix="Film the whole person.")
    return samples[usable]


def split(samples: Samples, validation_subjects: list[str]) -> tuple[Samples, Samples]:
    """Training and validation samples; both are all samples if there are too few to split."""
    validation = validation_mask(samples.recordings, samples.subjects, samples.frames, validation_subjects)
    return (samples, samples) if validation.all() else (samples[~validation], samples[validation])


def samples_to_predict(recording: Recording, cameras: Sequence[Camera], poses2d: Poses2dStore) -> Iterator[Samples]:
    """The samples of all frames of a recording, view by view, without targets; crops are around the boxes."""
    for view, camera in enumerate(cameras):
        yield _view_samples(recording, view, camera, poses2d, None)


def _view_samples(
    recording: Recording, index: int, camera: Camera, poses2d: Poses2dStore, targets: PoseTargets | None
) -> Samples:
    detections = poses2d[recording.name].person(0)
    box_px, root_px = detections["box_px"][:, index], detections["joints_px"][:, index, ROOT]
    n = len(box_px)
    if targets is None:
        joints_cam_mm, uncertainty_mm = np.full((n, N_JOINTS, 3), np.nan), np.full((n, N_JOINTS), np.nan)
    else:
        joints_cam_mm, uncertainty_mm = targets.joints_cam_mm[:, index], targets.uncertainty_mm
    if len(joints_cam_mm) != n:
        fix = "Run dvc repro to make them again."
        raise UserError(f"{n} frames of 2D poses, but {len(joints_cam_mm)} of labels", where=recording.name, fix=fix)
    crops = [crop_of_box(box) for box in box_px]
    center_px, side_px = np.stack([crop.center_px for crop in crops]), np.array([crop.side_px for crop in crops])
    side_px[~np.isfinite(center_px).all(-1)] = np.nan
    return Samples(
        files=np.full(n, recording.views[index].file), frames=np.arange(n), recordings=np.full(n, recording.name),
        subjects=np.full(n, recording.subject), center_px=center_px, side_px=side_px, detected_root_px=root_px,
        focal_px=np.full(n, (camera.K[0, 0] + camera.K[1, 1]) / 2), joints_px=camera.project_cam(joints_cam_mm),
        joints_cam_mm=joints_cam_mm, uncertainty_mm=uncertainty_mm,
    )  # fmt: skip
