"""Calibration tasks for static cameras with given extrinsics, adjusted to the people or unchanged."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.capture import Recording
from pipeline.geometry.calibration.initial_rig import RigNotFound
from pipeline.geometry.calibration.rig import adjust_extrinsics, measure_rig
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.labels.observations import observe_pool
from pipeline.labels.people_in_rig import FRAMES_FOR_SCALE, with_noise_of_joints
from pipeline.labels.rig_result import CalibrationResult, Refused, arrays_of, refused, static_fields, subject_of
from pipeline.labels.self_calibrated_rig import FOCAL
from pipeline.params.calibrate import CalibrateParams


def adjusted_rig(pool: Sequence[Recording], poses2d: Path, params: CalibrateParams) -> CalibrationResult | Refused:
    """Adjust the given extrinsics of a pool to its 2D poses, in the given world and scale; the reason if that fails.

    Views without extrinsics are registered to the others.
    """
    given = _given_poses(pool[0])
    if isinstance(given, str):
        return refused(subject_of(pool), given)
    observed, points_norm, sigma = observe_pool(
        pool, poses2d, ignore_distortion=params.ignore_distortion, min_confidence=params.min_confidence
    )
    try:
        rig, moved_deg = adjust_extrinsics(points_norm, sigma, *given, seed=params.seed, focal=FOCAL[params.focal])
    except RigNotFound as error:
        return refused(subject_of(pool), str(error))
    rig = with_noise_of_joints(rig, observed)
    fields = static_fields(pool, rig, params, scale="known", gravity="known", moved_deg=moved_deg)
    return CalibrationResult(arrays_of([rig], observed[0].focal_px), fields)


def given_rig(pool: Sequence[Recording], poses2d: Path, params: CalibrateParams) -> CalibrationResult | Refused:
    """The given extrinsics, unchanged; the reason if fewer than two views have any."""
    given = _given_poses(pool[0])
    if isinstance(given, str):
        return refused(subject_of(pool), given)
    [observed] = observe_pool(
        pool, poses2d, ignore_distortion=params.ignore_distortion, min_confidence=params.min_confidence
    )[0]
    few = observed.taken(linspace_indices(len(observed.points_norm), FRAMES_FOR_SCALE))
    rig = measure_rig(few.points_norm, few.sigma, *given)
    fields = static_fields(pool, rig, params, scale="known", gravity="known", moved_deg=None)
    return CalibrationResult(arrays_of([rig], observed.focal_px), fields)


def _given_poses(recording: Recording) -> tuple[np.ndarray, np.ndarray] | str:
    """The given extrinsics (V, 3, 3), (V, 3) of the labelling views, NaN where a view has none."""
    known = [v for v in recording.view_indices(for_labels=True) if recording.views[v].camera.has_extrinsics]
    if len(known) < 2:
        return f"only {len(known)} view(s) that may make labels came with extrinsics"
    R, t = np.full((len(recording.views), 3, 3), np.nan), np.full((len(recording.views), 3), np.nan)
    for v in known:
        camera = recording.views[v].camera
        R[v], t[v] = camera.R_cam_from_world, camera.t_cam_from_world_mm
    return R, t
