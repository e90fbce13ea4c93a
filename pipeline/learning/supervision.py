"""Training targets of the 3D networks: one function for each value of `train.supervision`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from pipeline.capture import Recording
from pipeline.capture_paths import CapturePaths
from pipeline.errors import UserError
from pipeline.geometry.camera.model import Camera
from pipeline.geometry.triangulation.methods import linear
from pipeline.geometry.view_time import ViewTime
from pipeline.params.train import TrainParams
from pipeline.skeleton import N_JOINTS
from pipeline.stores import LABELS, RIGS, RecordingGroup, RigRecord, open_store
from pipeline.truth import Truth, TruthCameras, open_truth


@dataclass(frozen=True)
class PoseTargets:
    """The target poses of a recording's views, and the cameras of these views; NaN where unknown."""

    joints_cam_mm: Float[np.ndarray, "frame view 17 3"]  # in each view's camera, at the times of its own frames
    uncertainty_mm: Float[np.ndarray, "frame 17"]  # standard deviation of each joint; 0 for the truth
    R_cam_from_world: Float[np.ndarray, "rig view 3 3"]  # one rig for all frames or one for each
    t_cam_from_world_mm: Float[np.ndarray, "rig view 3"]
    cameras: Sequence[Camera]  # intrinsics of each view
    times: Sequence[ViewTime]  # when the frames of each view were taken
    has_scale: bool = True  # whether the scale is known; otherwise lengths are in the rig's arbitrary unit


# Reads the targets of a recording; None if there are none.
TargetReader = Callable[[Recording], PoseTargets | None]
# Reads the intrinsics of all views of a recording.
CameraReader = Callable[[Recording], Sequence[Camera]]


def target_reader(params: TrainParams, paths: CapturePaths) -> TargetReader:
    """The reader of the targets that `train.supervision` names.

    This function and the reader raise UserError if the targets need truth or extrinsics that the footage does not have.
    """
    return SUPERVISION[params.supervision](params, paths)


def camera_reader(params: TrainParams, paths: CapturePaths) -> CameraReader:
    """The reader of the cameras that predictions use: those that see the truth if all targets are truth, else the found
    ones.

    A recording without a rig has the given cameras.
    """
    truth = open_truth(paths.truth, paths.labels, paths.rigs) if params.supervision in ("full", "subset") else None
    if truth is not None and not truth.is_aligned:
        return given_cameras
    rigs = open_store(paths.rigs, RIGS)
    return lambda r: rigs[r.name].record.intrinsics if r.name in rigs else given_cameras(r)


def given_cameras(recording: Recording) -> list[Camera]:
    """The cameras of all views that were given with the footage."""
    return [view.camera for view in recording.views]


def label_weights(
    uncertainty_mm: Float[np.ndarray, "frame 17"], weighting: Literal["none", "uncertainty"]
) -> Float[np.ndarray, "frame 17"]:
    """The weight of each joint's label, one on average.

    With `uncertainty`, weights are proportional to the inverse of the label's variance plus the median variance. The
    median stands for the error of the network itself, which does not fall with that of the labels: no label counts more
    than twice as much as a median one, and labels of ten times its deviation count as good as nothing. Labels of
    unknown uncertainty, which were rejected, have weight zero.
    """
    variance = uncertainty_mm**2
    if weighting == "none" or not (variance > 0).any():
        return np.ones_like(variance)
    weights = 1 / (variance + np.median(variance[variance > 0]))
    normalised: np.ndarray = np.nan_to_num(weights / np.nanmean(weights))
    return normalised


def _self_targets(params: TrainParams, paths: CapturePaths) -> TargetReader:
    """The labels, which are made from the footage only."""
    labels, rigs = open_store(paths.labels, LABELS), open_store(paths.rigs, RIGS)

    def read(recording: Recording) -> PoseTargets | None:
        if recording.name not in labels:
            return None
        own = labels[recording.name].person(0)
        R, t, has_scale = _rig(rigs[recording.name])
        rig = own.record.rig
        joints, uncertainty = own["joints_cam_mm"], own["uncertainty_mm"]
        return PoseTargets(joints, uncertainty, R, t, rig.intrinsics, rig.view_times, has_scale)

    return read


def _full_targets(params: TrainParams, paths: CapturePaths) -> TargetReader:
    """The truth, with the cameras that see it."""
    truth = _truth(params, paths)

    def read(recording: Recording) -> PoseTargets | None:
        cameras = _truth_cameras(params, truth, recording)
        if cameras is None:
            return None
        joints = cameras.to_cameras(truth.joints_world_mm(recording))
        none = np.zeros((len(joints), N_JOINTS))
        R, t = cameras.R_cam_from_world, cameras.t_cam_from_world_mm
        return PoseTargets(joints, none, R, t, cameras.intrinsics, _in_step(recording))

    return read


def _subset_targets(params: TrainParams, paths: CapturePaths) -> TargetReader:
    """The truth of the named subjects, and no targets of the others, as in the paper's experiment with S1."""
    full = _full_targets(params, paths)
    return lambda recording: full(recording) if recording.subject in params.subjects else None


def _mixed_targets(params: TrainParams, paths: CapturePaths) -> TargetReader:
    """The truth of the named subjects, the labels of the others."""
    full, own = _full_targets(params, paths), _self_targets(params, paths)
    return lambda recording: (full if recording.subject in params.subjects else own)(recording)


def _gt2d_targets(params: TrainParams, paths: CapturePaths) -> TargetReader:
    """Labels triangulated from the projections of the true joints, with the cameras that `calibrate` found."""
    truth, rigs = _truth(params, paths), open_store(paths.rigs, RIGS)

    def read(recording: Recording) -> PoseTargets | None:
        true_cameras = _truth_cameras(params, truth, recording)
        if true_cameras is None or recording.name not in rigs:
            return None
        cameras, joints = rigs[recording.name].record.intrinsics, truth.joints_world_mm(recording)
        true_px = true_cameras.project(joints)
        points_norm = [camera.undistort(true_px[:, v]) for v, camera in enumerate(cameras)]
        R, t, has_scale = _rig(rigs[recording.name])
        # Views for evaluation only have an infinite standard deviation and so no influence.
        sigma = np.where([view.evaluation_only for view in recording.views], np.inf, 1.0)
        sigma = np.broadcast_to(sigma, (len(joints), N_JOINTS, len(cameras)))
        points = linear(np.stack(points_norm, 2), sigma, R, t)
        in_cameras = np.einsum("fvij,fnj->fvni", R, points) + t[:, :, None]
        std = np.zeros(points.shape[:2])
        return PoseTargets(in_cameras, std, R, t, cameras, _in_step(recording), has_scale)

    return read


def _in_step(recording: Recording) -> list[ViewTime]:
    """The times of views for targets that are from the truth, whose frames are those of all views."""
    return [ViewTime() for _ in recording.views]


def _rig(group: RecordingGroup[RigRecord]) -> tuple[np.ndarray, np.ndarray, bool]:
    """Rotations, translations and whether their scale is known, as in `PoseTargets`."""
    return group["R_cam_from_world"], group["t_cam_from_world_mm"], group.record.scale != "none"


def _truth(params: TrainParams, paths: CapturePaths) -> Truth:
    """The truth of the capture. Raises UserError if there is none."""
    truth = open_truth(paths.truth, paths.labels, paths.rigs)
    if truth is None:
        what = f"train.supervision = {params.supervision} requires the truth, which this footage does not have"
        raise UserError(what, fix="Use train.supervision: self, or add files of truth (docs/data.md).")
    return truth


def _truth_cameras(params: TrainParams, truth: Truth, recording: Recording) -> TruthCameras | None:
    """The cameras that see a recording's truth; None if it has no truth, or no labels to align it with.

    Raises UserError if its world is that of the given cameras, and some came without extrinsics.
    """
    if recording not in truth:
        return None
    cameras = truth.cameras(recording)
    if not truth.is_aligned and not cameras.has_pose.all():
        what = (
            f"train.supervision = {params.supervision} requires the extrinsics of every view, which are not all given"
        )
        raise UserError(what, where=recording.name, fix="Use train.supervision: self.")
    return cameras if cameras.has_pose.any() else None


SUPERVISION: dict[str, Callable[[TrainParams, CapturePaths], TargetReader]] = {
    "self": _self_targets,
    "full": _full_targets,
    "subset": _subset_targets,
    "mixed": _mixed_targets,
    "gt2d": _gt2d_targets,
}
