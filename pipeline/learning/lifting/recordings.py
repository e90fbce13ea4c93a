"""The frames of recordings for lifting, from the stores: detections, targets, and cameras."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from pipeline.capture import Recording
from pipeline.errors import UserError
from pipeline.geometry.body.vertical import find_vertical
from pipeline.geometry.camera.model import Camera
from pipeline.geometry.view_time import Between, ViewTime
from pipeline.learning.lifting.multi_view_frames import MultiViewFrames, multi_view_frames
from pipeline.learning.supervision import PoseTargets
from pipeline.metrics import mean
from pipeline.stores import Detections, Poses2dRecord, RecordingGroup

UPRIGHT_CAMERA_UP = np.array([0.0, -1, 0])  # the vertical in the frame of a camera that is held level


def recording_frames(
    recording: Recording, poses2d: RecordingGroup[Poses2dRecord], targets: PoseTargets
) -> MultiViewFrames:
    """The frames of a recording in the labelling views, with the targets.

    Raises UserError if 2D poses and targets have different numbers of frames.
    """
    n, n_labels = poses2d.n_rows, len(targets.joints_cam_mm)
    if n != n_labels:
        fix = "Run dvc repro to make them again."
        raise UserError(f"{n} frames of 2D poses, but {n_labels} of labels", where=recording.name, fix=fix)
    views = recording.view_indices(for_labels=True)
    R, t = targets.R_cam_from_world[:, views], targets.t_cam_from_world_mm[:, views]
    detections = Detections(poses2d.person(0), targets.times)
    points_norm, confidence = detected_points_norm(targets.cameras, detections, views)
    joints = joints_in_world(recording, targets)
    return multi_view_frames(points_norm, confidence, joints, R, t, _up(joints, R))


def joints_in_world(recording: Recording, targets: PoseTargets) -> Float[np.ndarray, "frame 17 3"]:
    """The targets in the world, at the times of the views in step; the same points in the cameras of all views."""
    views = recording.view_indices(for_labels=True)
    R, t = targets.R_cam_from_world[:, views], targets.t_cam_from_world_mm[:, views]
    cam_mm = np.stack([_in_step(targets.joints_cam_mm[:, v], targets.times[v]) for v in views], 1)
    return mean((cam_mm - t[:, :, None]) @ R, axis=1)


def _in_step(values: np.ndarray, time: ViewTime) -> np.ndarray:
    """Values (F, ...) of a view's own frames at the times of the views in step."""
    if time.is_in_step:
        return values
    between = Between.of(time.rows(np.arange(len(values), dtype=float)), len(values))
    return between.interpolate(values[between.low], values[between.high])


def detected_points_norm(
    cameras: Sequence[Camera], detections: Detections, views: list[int]
) -> tuple[Float[np.ndarray, "frame view 17 2"], Float[np.ndarray, "frame view 17"]]:
    """Detections of some views in normalised image coordinates, lens distortion removed, and their confidences."""
    px, confidence = (detections.rows(name, 0, detections.n_rows)[:, views] for name in ("joints_px", "confidence"))
    points_norm = np.stack([cameras[v].undistort(px[:, i]) for i, v in enumerate(views)], 1)
    confidence = np.nan_to_num(confidence)
    return np.where((confidence > 0)[..., None], points_norm, np.nan), confidence


def _up(joints_mm: np.ndarray, R: np.ndarray) -> np.ndarray:
    """The vertical (3,): the direction of standing people, or if nobody stands, the mean of the cameras' verticals."""
    vertical = find_vertical(joints_mm)
    if vertical is not None:
        return vertical.up
    up = np.nanmean(np.swapaxes(R, -1, -2) @ UPRIGHT_CAMERA_UP, axis=(0, 1))
    unit: np.ndarray = up / max(np.linalg.norm(up), 1e-12)
    return unit
