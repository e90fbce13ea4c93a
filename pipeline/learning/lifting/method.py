"""Lifting as the stage `train` wants it: the network, its lesson, and its predictions of recordings."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pipeline.capture import Capture, Recording
from pipeline.errors import UserError
from pipeline.geometry.camera.model import Camera
from pipeline.learning.engine.loop import UNIFORM_LR
from pipeline.learning.engine.validation_split import validation
from pipeline.learning.images.samples import training_recordings
from pipeline.learning.lifting.adult_scale import in_adult_size
from pipeline.learning.lifting.losses import Objective
from pipeline.learning.lifting.multi_view_frames import MultiViewFrames, joined, multi_view_frames
from pipeline.learning.lifting.networks import LiftingArchitecture, LiftingNetwork
from pipeline.learning.lifting.predict import predict_poses
from pipeline.learning.lifting.recordings import detected_points_norm, recording_frames
from pipeline.learning.lifting.task import LiftingSchedule, LiftingTask
from pipeline.learning.supervision import CapturePaths, PoseTargets, camera_source, label_weights, target_source
from pipeline.params.train import LiftingParams, TrainParams
from pipeline.skeleton import N_JOINTS, ROOT
from pipeline.stores import Poses2dStore

log = logging.getLogger("epiline")


class Lifting:
    """A lifting network: taught by the detections of whole rigs, it predicts from the detections of single views."""

    def __init__(
        self, capture: Capture, poses2d: Poses2dStore, paths: CapturePaths, detector: Path, params: TrainParams
    ) -> None:
        del detector  # its 2D poses are all that is seen
        p = params.lifting
        torch.manual_seed(params.seed)
        branch = p.root in ("direct", "ray")
        self.network = LiftingNetwork(LiftingArchitecture(p.backbone, p.frames, p.width, p.dropout, branch))
        self.lr_multipliers = UNIFORM_LR
        taught, adult_scale = in_adult_size(training_recordings(capture, poses2d, target_source(params, paths)))
        self.task = lifting_task(poses2d, taught, params)
        self.metadata: dict[str, Any] = {"moments": len(self.task), "adult_scale": adult_scale}
        self._poses2d, self._flip_test = poses2d, params.flip_test
        self._cameras = camera_source(params, paths)

    def predict(self, recording: Recording) -> dict[str, np.ndarray]:
        """The arrays of PREDICTIONS, of every view of a recording."""
        cameras = self._cameras(recording)
        return predict_recording(self.network, recording, cameras, self._poses2d, flip_test=self._flip_test)


def lifting_task(
    poses2d: Poses2dStore, taught: Sequence[tuple[Recording, PoseTargets]], params: TrainParams
) -> LiftingTask:
    """All moments that may teach: of training recordings, seen by views that are not kept for evaluation.

    Raises UserError where nobody is seen, or no label is valid.
    """
    parts = [recording_frames(recording, poses2d[recording.name], targets) for recording, targets in taught]
    uncertainty_mm = np.concatenate([targets.uncertainty_mm for _, targets in taught])
    moments = joined(parts).weighed(label_weights(uncertainty_mm, params.weighting))
    objective = _objective(params.lifting)
    usable = _usable(moments, objective).numpy()
    log.info("train: %d moments of %d recordings, %d left out", usable.sum(), len(parts), (~usable).sum())
    if not usable.any():
        raise UserError(
            f"None of {len(moments)} training moments has a person and a valid label",
            fix="Look at the counts of rejected joints in the report; loosen triangulate.* or fix the calibration.",
        )  # fmt: skip
    sizes = [len(part) for part in parts]
    names, subjects = (np.repeat([getattr(r, key) for r, _ in taught], sizes) for key in ("name", "subject"))
    frames = np.concatenate([np.arange(n) for n in sizes])
    apart = validation(names, subjects, frames, params.validation_subjects)
    if not (usable & ~apart).any():
        apart = np.zeros_like(apart)  # too few to keep any out
    trained, judged = (torch.from_numpy(np.flatnonzero(usable & rows)) for rows in (~apart, apart))
    return LiftingTask(moments, trained, judged, objective, _plan(params))


def _objective(params: LiftingParams) -> Objective:
    return Objective(
        **params.losses.model_dump(), squared=params.squared, confidence=params.confidence, root=params.root,
        root_relative=params.root_relative,
    )  # fmt: skip


def _plan(params: TrainParams) -> LiftingSchedule:
    p = params.lifting
    return LiftingSchedule(p.frames, p.virtual_views, p.pretrain_epochs / params.epochs, p.freeze_after)


def _usable(moments: MultiViewFrames, objective: Objective) -> Tensor:
    """Whether a moment teaches anything, (M,): somebody is seen, and there is a label where the objective needs one."""
    needed = objective.labels > 0 or objective.root == "labels"
    return moments.seen & moments.labelled if needed else moments.seen


def predict_recording(
    network: LiftingNetwork, recording: Recording, cameras: Sequence[Camera], poses2d: Poses2dStore, *,
    flip_test: bool,
) -> dict[str, np.ndarray]:  # fmt: skip
    """The arrays of PREDICTIONS from the detections of every view of a recording; NaN where nobody was found.

    The network's pose stands where it fits the view's own detections best; from there it is projected, lens distortion
    included, and depths are relative to its root's.
    """
    views = recording.view_indices()
    points_norm, confidence = detected_points_norm(cameras, poses2d[recording.name], views)
    nowhere = np.full((len(points_norm), N_JOINTS, 3), np.nan)
    unknown = np.full((1, len(views), 3, 3), np.nan), np.full((1, len(views), 3), np.nan)
    moments = multi_view_frames(points_norm, confidence, nowhere, *unknown, np.array([0.0, 0, 1]))
    poses, roots = predict_poses(network, moments, network.architecture.frames, flip_test=flip_test)
    joints = poses + roots[:, :, None]
    joints_px = [camera.project_cam(joints[:, i]) for i, camera in enumerate(cameras)]
    depth = joints[..., 2]
    root = depth[..., ROOT : ROOT + 1]
    return {"joints_px": np.stack(joints_px, 1), "relative_depth": (depth - root) / root}
