"""What teaches the 3D network: labels, the truth, or both; one function for each value of `train.supervision`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from pipeline.capture import Recording
from pipeline.errors import UserError
from pipeline.geometry.camera.model import Camera
from pipeline.geometry.triangulation.methods import linear
from pipeline.params.train import TrainParams
from pipeline.skeleton import N_JOINTS
from pipeline.stores import LABELS, RIGS, TRUTH, RecordingGroup, RigRecord, open_store


@dataclass(frozen=True)
class PoseTargets:
    """What a recording's views are taught, and the rig that it belongs to; NaN where nothing is known."""

    joints_cam_mm: np.ndarray  # (F, V, 17, 3) in each view's camera
    uncertainty_mm: np.ndarray  # (F, 17) standard deviation of each joint; 0: the truth
    R_cam_from_world: np.ndarray  # (F or 1, V, 3, 3): one rig for all frames, or one for each
    t_cam_from_world_mm: np.ndarray  # (F or 1, V, 3)
    cameras: Sequence[Camera]  # of each view, whose intrinsics belong to joints and rig
    scaled: bool = True  # whether something fixed the scale; else lengths are in a unit of the rig's own


# The lessons of a recording; None: it teaches nothing.
TargetSource = Callable[[Recording], PoseTargets | None]


# The intrinsics of all views by which a network sees a recording.
CameraSource = Callable[[Recording], Sequence[Camera]]


@dataclass(frozen=True)
class CapturePaths:
    """Where lessons may come from."""

    frames: Path
    labels: Path
    rigs: Path


def target_source(params: TrainParams, paths: CapturePaths) -> TargetSource:
    """The teacher of the parameters.

    Raises UserError where it needs the truth or extrinsics and the footage has none, or subjects are unknown.
    """
    return TEACHERS[params.supervision](params, paths)


def label_weights(uncertainty_mm: np.ndarray, weighting: Literal["none", "uncertainty"]) -> np.ndarray:
    """How much each joint's label (N, 17) counts, one on average: as the inverse of its variance and a typical one's.

    The typical variance keeps a few very certain labels from drowning all others: uncertainty tells how well the
    views agree, and the errors they share are not in it. Labels of unknown uncertainty, which are rejected, count zero.
    """
    variance = uncertainty_mm**2
    if weighting == "none" or not (variance > 0).any():
        return np.ones_like(variance)
    weights = 1 / (variance + np.median(variance[variance > 0]))
    return np.nan_to_num(weights / np.nanmean(weights))


def _self(params: TrainParams, paths: CapturePaths) -> TargetSource:
    """The cached labels: nothing but what the footage itself told."""
    store, rigs = open_store(paths.labels, LABELS), open_store(paths.rigs, RIGS)

    def targets(recording: Recording) -> PoseTargets | None:
        if recording.name not in store:
            return None
        found = store[recording.name].person(0)
        R, t, scaled = _rig(rigs[recording.name])
        cameras = found.record.rig.intrinsics
        return PoseTargets(found["joints_cam_mm"], found["uncertainty_mm"], R, t, cameras, scaled)

    return targets


def _full(params: TrainParams, paths: CapturePaths) -> TargetSource:
    """The truth, with the footage's own extrinsics."""
    truth = _truth(params, paths)

    def targets(recording: Recording) -> PoseTargets:
        cameras = given_cameras(recording)
        joints = np.stack([camera.to_camera(truth(recording)) for camera in cameras], 1)
        R = np.array([[camera.R_cam_from_world for camera in cameras]])
        t = np.array([[camera.t_cam_from_world_mm for camera in cameras]])
        return PoseTargets(joints, np.zeros((len(joints), N_JOINTS)), R, t, cameras)

    return targets


def _subset(params: TrainParams, paths: CapturePaths) -> TargetSource:
    """The truth of the named subjects alone, as the paper's S1."""
    full = _full(params, paths)
    return lambda recording: full(recording) if recording.subject in params.subjects else None


def _mixed(params: TrainParams, paths: CapturePaths) -> TargetSource:
    """The truth of the named subjects, the labels of the others."""
    full, own = _full(params, paths), _self(params, paths)
    return lambda recording: (full if recording.subject in params.subjects else own)(recording)


def _gt2d(params: TrainParams, paths: CapturePaths) -> TargetSource:
    """Labels triangulated from the true joints in the images, with the rig and intrinsics that `calibrate` found."""
    truth, rigs = _truth(params, paths), open_store(paths.rigs, RIGS)

    def targets(recording: Recording) -> PoseTargets | None:
        if recording.name not in rigs:
            return None
        cameras, joints = rigs[recording.name].record.intrinsics, truth(recording)
        true_px = [camera.project(joints) for camera in given_cameras(recording)]
        points_norm = [camera.undistort(px) for camera, px in zip(cameras, true_px, strict=True)]
        R, t, scaled = _rig(rigs[recording.name])
        seen_by = np.where([view.evaluation_only for view in recording.views], np.inf, 1.0)
        points = linear(
            np.stack(points_norm, 2), np.broadcast_to(seen_by, (len(points_norm[0]), N_JOINTS, len(cameras))), R, t
        )
        in_cameras = np.einsum("fvij,fnj->fvni", R, points) + t[:, :, None]
        return PoseTargets(in_cameras, np.zeros(points.shape[:2]), R, t, cameras, scaled)

    return targets


def camera_source(params: TrainParams, paths: CapturePaths) -> CameraSource:
    """The cameras by which a network sees recordings: as given where only the truth trains it, else as found.

    The cameras given stand in for those of a recording without a rig.
    """
    if params.supervision in ("full", "subset"):
        return given_cameras
    rigs = open_store(paths.rigs, RIGS)
    return lambda r: rigs[r.name].record.intrinsics if r.name in rigs else given_cameras(r)


def given_cameras(recording: Recording) -> list[Camera]:
    """The cameras of all views as the footage came with them."""
    return [view.camera for view in recording.views]


def _rig(found: RecordingGroup[RigRecord]) -> tuple[np.ndarray, np.ndarray, bool]:
    """Rotations, translations and whether their scale was fixed, as `Lessons` has them."""
    return found["R_cam_from_world"], found["t_cam_from_world_mm"], found.record.scale != "none"


def _truth(params: TrainParams, paths: CapturePaths) -> Callable[[Recording], np.ndarray]:
    """The true joints (F, 17, 3) in the world of a recording whose views all have extrinsics."""
    path, needs = paths.frames / "truth.zarr", f"train.supervision = {params.supervision} requires"
    fix = "Use train.supervision: self."
    if not path.exists():
        raise UserError(f"{needs} the truth, which this footage does not have", fix=fix)
    store = open_store(path, TRUTH)

    def joints_world_mm(recording: Recording) -> np.ndarray:
        if not all(view.camera.has_extrinsics for view in recording.views):
            what = f"{needs} the extrinsics of every view, which are not all given"
            raise UserError(what, where=recording.name, fix=fix)
        return store[recording.name].person(0)["joints_world_mm"]

    return joints_world_mm


TEACHERS: dict[str, Callable[[TrainParams, CapturePaths], TargetSource]] = {
    "self": _self, "full": _full, "subset": _subset, "mixed": _mixed, "gt2d": _gt2d,
}  # fmt: skip
