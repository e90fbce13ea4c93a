"""Multi-view frames of recordings from the stores: detections, the targets of training, and their cameras."""

from collections.abc import Sequence

import numpy as np

from pipeline.capture import Recording
from pipeline.errors import UserError
from pipeline.geometry.calibration.scale import up_direction
from pipeline.geometry.camera.model import Camera
from pipeline.learning.lifting.multi_view_frames import MultiViewFrames, multi_view_frames
from pipeline.learning.supervision import PoseTargets
from pipeline.metrics import mean
from pipeline.stores import Poses2dRecord, RecordingGroup

UPRIGHT = np.array([0.0, -1, 0])  # upwards, in a camera that is held level


def recording_frames(
    recording: Recording, poses2d: RecordingGroup[Poses2dRecord], targets: PoseTargets
) -> MultiViewFrames:
    """The moments of a recording as its labelling views saw them, with the lessons that they teach.

    Raises UserError where the two are not of the same frames.
    """
    n, n_taught = poses2d.n_rows, len(targets.joints_cam_mm)
    if n != n_taught:
        fix = "Run dvc repro to make them again."
        raise UserError(f"{n} frames of 2D poses, but {n_taught} of labels", where=recording.name, fix=fix)
    views = recording.view_indices(for_labels=True)
    R, t = targets.R_cam_from_world[:, views], targets.t_cam_from_world_mm[:, views]
    joints = joints_in_world(targets.joints_cam_mm[:, views], R, t)
    points_norm, confidence = detected_points_norm(targets.cameras, poses2d, views)
    return multi_view_frames(points_norm, confidence, joints, R, t, _up(joints, R))


def joints_in_world(joints_cam_mm: np.ndarray, R: np.ndarray, t_mm: np.ndarray) -> np.ndarray:
    """Joints (F, 17, 3) of the world from those in the cameras (F, V, 17, 3), which are the same in all of them."""
    return mean((joints_cam_mm - t_mm[:, :, None]) @ R, axis=1)


def detected_points_norm(
    cameras: Sequence[Camera], poses2d: RecordingGroup[Poses2dRecord], views: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Rays (F, V, 17, 2) of the detections of some views, lens distortion removed, and confidences (F, V, 17)."""
    person = poses2d.person(0)
    px, confidence = person["joints_px"][:, views], person["confidence"][:, views]
    points_norm = np.stack([cameras[v].undistort(px[:, i]) for i, v in enumerate(views)], 1)
    confidence = np.nan_to_num(confidence)
    return np.where((confidence > 0)[..., None], points_norm, np.nan), confidence


def _up(joints_mm: np.ndarray, R: np.ndarray) -> np.ndarray:
    """The vertical (3,) as the people stand, or where they do not, as the cameras do on average."""
    up = up_direction(joints_mm)
    if up is None:
        up = np.nanmean(np.swapaxes(R, -1, -2) @ UPRIGHT, axis=(0, 1))
    return up / max(np.linalg.norm(up), 1e-12)
