"""The residuals of calibrated rigs by view and by landmark, in pixels: a record and a line of the log."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.capture import Recording
from pipeline.detectors.landmark_names import landmark_names
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.geometry.verification.residuals_by_landmark import residuals_by_landmark
from pipeline.labels.observations import FRAMES_PER_POOL, observe_pool
from pipeline.labels.rig_result import CalibrationResult, finite_or_none, subject_of
from pipeline.params.calibrate import CalibrateParams
from pipeline.stores import POSES2D, ResidualsRecord, open_store

log = logging.getLogger("epiline")
Poses = tuple[np.ndarray, np.ndarray, np.ndarray]


def poses_of(result: CalibrationResult) -> Poses:
    """Rotations and translations of a rig, one for all frames or one for each that `observe_pool` reads, and its focal
    scales.
    """
    R, t = (np.asarray(result.arrays[name], float) for name in ("R_cam_from_world", "t_cam_from_world_mm"))
    rows = linspace_indices(len(t), FRAMES_PER_POOL)
    focal_scale = np.array(result.fields["focal_scale"])
    return (R[rows], t[rows], focal_scale) if result.fields["moving"] else (R[0], t[0], focal_scale)


def residuals_of(pool: Sequence[Recording], poses2d: Path, poses: Poses, params: CalibrateParams) -> ResidualsRecord:
    """The median residuals of a pool's detections after its calibration; of all landmarks, or of the joints."""
    R, t, focal_scale = poses
    observed, points_norm, sigma = observe_pool(
        pool, poses2d, ignore_distortion=params.ignore_distortion, min_confidence=params.min_confidence
    )
    residuals = residuals_by_landmark(points_norm / focal_scale[:, None], sigma / focal_scale, R, t)
    focal_px = observed[0].focal_px * focal_scale
    store = open_store(poses2d, POSES2D)
    n_landmarks = store[pool[0].name].person(0).at("landmarks_px", np.zeros(0, int)).shape[2]
    return ResidualsRecord(
        landmarks=store.summary.landmarks or landmark_names(store.summary.detector["name"], n_landmarks),
        by_view=_or_none(residuals.by_view * focal_px),
        by_landmark=[_or_none(row) for row in residuals.by_landmark * focal_px],
    )


def _or_none(values: np.ndarray) -> list[float | None]:
    return [finite_or_none(float(value)) for value in values]


def log_residuals(pool: Sequence[Recording], residuals: ResidualsRecord) -> None:
    """Log the residual of each view, and the landmark with the largest, as one line."""
    names = [view.name for view in pool[0].views]
    by_view = [
        f"{name} {value:.1f} px" for name, value in zip(names, residuals.by_view, strict=True) if value is not None
    ]
    worst = residuals.worst
    if worst is None:
        return
    (row, view), value = worst, residuals.by_landmark[worst[0]][worst[1]]
    log.info(
        "%s: median residuals by view: %s; the largest by landmark: %s in %s, %.1f px",
        subject_of(pool), ", ".join(by_view), residuals.landmarks[row], names[view], value,
    )  # fmt: skip
