"""The lifting method of the stage `train`: the network, its training task, and its predictions of recordings."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pipeline.capture import Capture, Recording
from pipeline.capture_paths import CapturePaths
from pipeline.geometry.camera.model import Camera
from pipeline.learning.engine.loop import UNIFORM_LR
from pipeline.learning.engine.validation_split import validation_mask
from pipeline.learning.images.samples import training_recordings
from pipeline.learning.lifting.adult_scale import in_adult_size
from pipeline.learning.lifting.architecture import LiftingArchitecture
from pipeline.learning.lifting.losses import ROOT_BRANCHES, Objective
from pipeline.learning.lifting.multi_view_frames import MultiViewFrames, concatenate, multi_view_frames
from pipeline.learning.lifting.networks import LiftingNetwork
from pipeline.learning.lifting.predict import predict_poses
from pipeline.learning.lifting.recordings import detected_points_norm, recording_frames
from pipeline.learning.lifting.task import LiftingSchedule, LiftingTask
from pipeline.learning.supervision import PoseTargets, camera_reader, label_weights, target_reader
from pipeline.learning.training_alerts import NoTrainingDataError
from pipeline.params.train import LiftingParams, TrainParams
from pipeline.skeleton import N_JOINTS, ROOT
from pipeline.stores import Detections, Poses2dStore

log = logging.getLogger("epiline")


class Lifting:
    """A lifting network: trained on the detections of all views of a rig, it predicts from those of a single view."""

    def __init__(
        self, capture: Capture, poses2d: Poses2dStore, paths: CapturePaths, weights: Path, params: TrainParams
    ) -> None:
        del weights  # lifting networks have random initial weights
        p = params.lifting
        torch.manual_seed(params.seed)
        root_branch = p.root in ROOT_BRANCHES
        self.network = LiftingNetwork(LiftingArchitecture(p.backbone, p.frames, p.width, p.dropout, root_branch))
        self.lr_multipliers = UNIFORM_LR
        training = training_recordings(capture, poses2d, target_reader(params, paths))
        training, adult_scale = in_adult_size(training)
        self.task = lifting_task(poses2d, training, params)
        self.target_share = self.task.target_share
        self.metadata: dict[str, Any] = {"frames": len(self.task), "adult_scale": adult_scale}
        self._poses2d, self._flip_test = poses2d, params.flip_test
        self._read_cameras = camera_reader(params, paths)

    def predict(self, recording: Recording) -> dict[str, np.ndarray]:
        """The arrays of PREDICTIONS of a recording, for all views."""
        cameras = self._read_cameras(recording)
        return predict_recording(self.network, recording, cameras, self._poses2d, flip_test=self._flip_test)


def lifting_task(
    poses2d: Poses2dStore, training: Sequence[tuple[Recording, PoseTargets]], params: TrainParams
) -> LiftingTask:
    """The task of all usable frames of training recordings, in the labelling views.

    Raises NoTrainingDataError if no frame is usable.
    """
    parts = [recording_frames(recording, poses2d[recording.name], targets) for recording, targets in training]
    uncertainty_mm = np.concatenate([targets.uncertainty_mm for _, targets in training])
    frames = concatenate(parts).with_label_weights(label_weights(uncertainty_mm, params.weighting))
    objective = _objective(params.lifting)
    usable = _usable(frames, objective).numpy()
    log.info("train: %d frames of %d recordings; %d left out", usable.sum(), len(training), (~usable).sum())
    learnable = usable if objective.uses_images else usable & frames.has_root_label.numpy()
    if not learnable.any():
        raise NoTrainingDataError(
            f"None of {len(frames)} training frames has a person and a valid label of the pelvis",
            fix="See the numbers of rejected joints in the report; loosen triangulate.* or fix the calibration.",
        )  # fmt: skip
    sizes = [len(part) for part in parts]
    validation = _validation([recording for recording, _ in training], sizes, params.validation_subjects)
    if not (usable & ~validation).any():
        validation = np.zeros_like(validation)  # too few frames to split
    rows, validation_rows = (torch.from_numpy(np.flatnonzero(usable & mask)) for mask in (~validation, validation))
    return LiftingTask(frames, rows, validation_rows, objective, _schedule(params))


def _validation(recordings: Sequence[Recording], sizes: Sequence[int], subjects: list[str]) -> np.ndarray:
    """Whether each frame is for validation; `sizes` are the numbers of frames of the recordings."""
    names, own_subjects = (np.repeat([getattr(r, key) for r in recordings], sizes) for key in ("name", "subject"))
    return validation_mask(names, own_subjects, np.concatenate([np.arange(n) for n in sizes]), subjects)


def _objective(params: LiftingParams) -> Objective:
    return Objective(
        **params.losses.model_dump(), squared=params.squared, confidence=params.confidence, root=params.root,
        root_relative=params.root_relative,
    )  # fmt: skip


def _schedule(params: TrainParams) -> LiftingSchedule:
    p = params.lifting
    return LiftingSchedule(p.frames, p.virtual_views, p.pretrain_epochs / params.epochs, p.freeze_after)


def _usable(frames: MultiViewFrames, objective: Objective) -> Tensor:
    """Whether each frame has a person, and a label if the objective needs one."""
    needs_label = objective.labels > 0 or objective.root == "labels"
    return frames.has_person & frames.has_label if needs_label else frames.has_person


def predict_recording(
    network: LiftingNetwork, recording: Recording, cameras: Sequence[Camera], poses2d: Poses2dStore, *,
    flip_test: bool,
) -> dict[str, np.ndarray]:  # fmt: skip
    """The arrays of PREDICTIONS from the detections of every view of a recording; NaN where no person was detected.

    A pose is placed where it fits the view's own detections best, and projected with lens distortion; depths are
    relative to the root's depth.
    """
    views = recording.view_indices()
    points_norm, confidence = detected_points_norm(cameras, Detections(poses2d[recording.name].person(0)), views)
    no_labels = np.full((len(points_norm), N_JOINTS, 3), np.nan)
    no_rig = np.full((1, len(views), 3, 3), np.nan), np.full((1, len(views), 3), np.nan)
    frames = multi_view_frames(points_norm, confidence, no_labels, *no_rig, np.array([0.0, 0, 1]))
    poses, roots = predict_poses(network, frames, network.architecture.frames, flip_test=flip_test)
    joints = poses + roots[:, :, None]
    joints_px = [camera.project_cam(joints[:, i]) for i, camera in enumerate(cameras)]
    depth = joints[..., 2]
    root = depth[..., ROOT : ROOT + 1]
    return {"joints_px": np.stack(joints_px, 1), "relative_depth": (depth - root) / root}
