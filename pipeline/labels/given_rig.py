"""Calibration tasks for static cameras with given extrinsics, adjusted to the people or unchanged."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Recording
from pipeline.geometry.body.scale import scale_from_bones
from pipeline.geometry.body.segment_lengths import segment_lengths
from pipeline.geometry.calibration.calibrated_rig import Rig
from pipeline.geometry.calibration.initial_rig import RigNotFound
from pipeline.geometry.calibration.rig import adjust_extrinsics, measure_rig
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.labels.checks.found_focal_lengths import focal_length_alerts
from pipeline.labels.checks.given_extrinsics import exchanged_views, fitting_views, size_of_people
from pipeline.labels.observations import Observations, observe_pool
from pipeline.labels.people_in_rig import FRAMES_FOR_SCALE, people_of, with_noise_of_joints
from pipeline.labels.rig_result import CalibrationResult, Refused, arrays_of, refused, static_fields, subject_of
from pipeline.labels.self_calibrated_rig import FOCAL, with_principal_points
from pipeline.params.calibrate import CalibrateParams

# An adjustment that rotates a camera by more, in degrees, found another rig than the given one.
MAX_ADJUSTMENT_DEG = 15.0


def adjusted_rig(pool: Sequence[Recording], poses2d: Path, params: CalibrateParams) -> CalibrationResult | Refused:
    """Adjust the given extrinsics of a pool to its 2D poses, in the given world and scale; the reason if that fails.

    Views without extrinsics are registered to the others. Refused, too, if the videos are exchanged, if the adjustment
    rotates a camera by far, and if the people contradict the adjusted rig or its unit of length.
    """
    given = _given_poses(pool[0])
    if isinstance(given, str):
        return refused(subject_of(pool), given)
    observed, points_norm, sigma = observe_pool(
        pool, poses2d, ignore_distortion=params.ignore_distortion, min_confidence=params.min_confidence
    )
    for recording, own in zip(pool, observed, strict=True):
        if (exchange := exchanged_views(recording, poses2d, own, *given, params)) is not None:
            return exchange
    try:
        rig, moved_deg = adjust_extrinsics(points_norm, sigma, *given, seed=params.seed, focal=FOCAL[params.focal])
    except RigNotFound as error:
        return refused(subject_of(pool), str(error))
    if moved_deg > MAX_ADJUSTMENT_DEG:
        return _another_rig(subject_of(pool), moved_deg)
    rig = with_principal_points(with_noise_of_joints(rig, observed), pool[0], params)
    alerts = focal_length_alerts(pool, rig)
    for recording, own in zip(pool, observed, strict=True):
        views = fitting_views(recording, own.scale_focal(rig.focal_scale), rig.R, rig.t, leave_out=False, given=False)
        if isinstance(views, Refused):
            return views
        alerts += views.alerts
    judged = _judge_size(pool, observed, rig)
    if isinstance(judged, Refused):
        return judged
    fields = static_fields(pool, rig, params, scale="known", gravity="known", moved_deg=moved_deg)
    return CalibrationResult(arrays_of([rig], observed[0].focal_px), fields, (*alerts, *judged))


def given_rig(pool: Sequence[Recording], poses2d: Path, params: CalibrateParams) -> CalibrationResult | Refused:
    """The given extrinsics, unchanged; the reason if fewer than two views have any.

    Views that contradict the others are left out. Refused, too, if the videos are exchanged, and if the people
    contradict the cameras or their unit of length.
    """
    given = _given_poses(pool[0])
    if isinstance(given, str):
        return refused(subject_of(pool), given)
    [observed] = observe_pool(
        pool, poses2d, ignore_distortion=params.ignore_distortion, min_confidence=params.min_confidence
    )[0]
    if (exchange := exchanged_views(pool[0], poses2d, observed, *given, params)) is not None:
        return exchange
    views = fitting_views(pool[0], observed, *given, leave_out=True)
    if isinstance(views, Refused):
        return views
    R, t = (np.where(np.expand_dims(views.fits, tuple(range(1, x.ndim))), x, np.nan) for x in given)
    few = observed.taken(linspace_indices(len(observed.points_norm), FRAMES_FOR_SCALE))
    rig = measure_rig(few.points_norm, few.sigma, R, t)
    judged = _judge_size(pool, [observed], rig)
    if isinstance(judged, Refused):
        return judged
    fields = static_fields(pool, rig, params, scale="known", gravity="known", moved_deg=None)
    return CalibrationResult(arrays_of([rig], observed.focal_px), fields, (*views.alerts, *judged))


def _judge_size(pool: Sequence[Recording], observed: Sequence[Observations], rig: Rig) -> Refused | tuple[Alert, ...]:
    """What the size of each subject says about the unit of length: the first refusal, or all doubts."""
    by_subject: dict[str, list[Observations]] = {}
    for recording, own in zip(pool, observed, strict=True):
        by_subject.setdefault(recording.subject, []).append(own)
    alerts: list[Alert] = []
    for subject, recordings in by_subject.items():
        people = [people_of(own, rig) for own in recordings]
        scale = scale_from_bones([[segment_lengths(one.joints, one.covariance) for one in people]])
        name = subject_of(pool) if len(by_subject) == 1 else f"{subject_of(pool)}, {subject}"
        judged = size_of_people(name, scale)
        if isinstance(judged, Refused):
            return judged
        alerts += judged
    return tuple(alerts)


def _another_rig(subject: str, moved_deg: float) -> Refused:
    reason = f"the adjustment turned a camera by {moved_deg:.0f} deg from its given extrinsics"
    mend = "Check that the calibration is of these videos, or find the rig without it: calibrate.mode: rig."
    return refused(subject, reason, kind="another_rig", mend=mend)


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
