"""Calibration tasks for static cameras whose extrinsics are found from the people alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Recording
from pipeline.geometry.calibration.calibrated_rig import Rig
from pipeline.geometry.calibration.focal_prior import EXACT, Focal
from pipeline.geometry.calibration.initial_rig import RigNotFound
from pipeline.geometry.calibration.rig import find_rig
from pipeline.geometry.calibration.rig_motion import rotation_change_deg
from pipeline.labels.checks.found_focal_lengths import focal_length_alerts
from pipeline.labels.checks.given_extrinsics import fitting_views
from pipeline.labels.checks.other_people import mixed_people, without
from pipeline.labels.checks.views_left_out import left_out_alerts
from pipeline.labels.observations import Observations, observe_pool
from pipeline.labels.people_in_rig import (
    people_of,
    scale_alerts,
    scale_missing,
    scale_of,
    stds_of,
    vertical_of,
    with_noise_of_joints,
)
from pipeline.labels.rig_result import CalibrationResult, Refused, arrays_of, refused, static_fields, subject_of
from pipeline.params.calibrate import CalibrateParams

# The values of `calibrate.focal`. Approximate focal lengths come from data sheets and image headers; unknown ones are
# those of any lens, but cameras are likely to have similar ones.
FOCAL = {"exact": EXACT, "approximate": Focal(std=0.05, own_std=0.03), "unknown": Focal(std=np.inf, own_std=0.15)}
# Standard deviation of a principal point along each axis as a share of the image's width, where the focal length is not
# exact either. The principal point is not changed, the rotation makes up for it.
PRINCIPAL_POINT_STD = 0.01

# Where several people are in view, the rig is calibrated again so many times: each rig tells what is of other people
# better than the one before, which was calibrated with some of it.
PEOPLE_PASSES = 2
ONE_PERSON = "Crop or mask the videos to one person, or use a detector that keeps to one."


def pooled_rig(pool: Sequence[Recording], poses2d: Path, params: CalibrateParams) -> CalibrationResult | Refused:
    """Calibrate the rig of a pool of recordings from their 2D poses only; the reason if that fails."""
    observed, points_norm, sigma = observe_pool(
        pool, poses2d, ignore_distortion=params.ignore_distortion, min_confidence=params.min_confidence
    )
    usable = np.isfinite(sigma).any((0, 1)).sum()
    if usable < 2:
        reason = f"only {usable} view(s) with joints of confidence {params.min_confidence} or more"
        return refused(subject_of(pool), reason)
    agreed = _agreed_rig(pool, observed, points_norm, sigma, params)
    if isinstance(agreed, Refused):
        return agreed
    rig, alerts, observed, sigma = agreed.rig, list(agreed.alerts), agreed.observed, agreed.sigma
    people = [people_of(one, rig) for one in observed]
    scale = scale_of(pool, people, rig, params)
    if not np.isfinite(scale.factor):
        return refused(subject_of(pool), scale_missing(params))
    moved_deg = rotation_change_deg(points_norm, sigma, rig)
    rig = with_principal_points(rig, pool[0], params)
    alerts += focal_length_alerts(pool, rig)
    upright = vertical_of(pool[0], people, rig, params)
    rig = rig.scaled(scale.factor).in_axes(upright.axes, np.zeros(3))
    fields = static_fields(pool, rig, params, scale=params.scale, gravity=upright.source, moved_deg=moved_deg)
    fields |= stds_of(scale, upright)
    alerts += scale_alerts(subject_of(pool), scale, params)
    return CalibrationResult(arrays_of([rig], observed[0].focal_px), fields, tuple(alerts), agreed.left_out)


def with_principal_points(rig: Rig, recording: Recording, params: CalibrateParams) -> Rig:
    """The rig with the principal points' uncertainty in that of its rotations, unless intrinsics are exact.

    The covariance of all poses stays: labels hardly change with a principal point, as the rotation makes up for it.
    """
    if params.focal == "exact":
        return rig
    focal_px = rig.focal_scale * np.array([np.sqrt(view.K[0][0] * view.K[1][1]) for view in recording.views])
    std_rad = PRINCIPAL_POINT_STD * np.array([view.size_px[0] for view in recording.views]) / focal_px
    return replace(rig, rotation_std_deg=np.hypot(rig.rotation_std_deg, np.degrees(np.sqrt(2) * std_rad)))


@dataclass(frozen=True)
class _AgreedRig:
    """A rig from the views that agree with each other in most recordings of a pool."""

    rig: Rig
    alerts: tuple[Alert, ...]
    left_out: dict[str, frozenset[str]]  # by recording: views that contradict the others there
    observed: list[Observations]  # of each recording, without other people
    sigma: np.ndarray  # (F, P, V) of the landmarks, infinite also where views show other people


def _agreed_rig(
    pool: Sequence[Recording], observed: list[Observations], points_norm: np.ndarray, sigma: np.ndarray,
    params: CalibrateParams,
) -> _AgreedRig | Refused:  # fmt: skip
    """Calibrate without the views that contradict the others in most recordings, and without other people.

    A refusal if there is no rig, if in a recording no views agree, and if several people leave views out.
    """
    alerts: list[Alert] = []
    try:
        first = _rig_of_one_person(pool, observed, points_norm, sigma, params)
    except RigNotFound as error:
        return refused(subject_of(pool), str(error))
    rig, observed, sigma = first.rig, first.observed, first.sigma
    if first.several and rig.left_out:
        names = ", ".join(pool[0].views[view].name for view in sorted(rig.left_out))
        reason = f"several people are in view, and nothing decides whom {names} and the other views show"
        return refused(subject_of(pool), reason, kind="several_people", mend=ONE_PERSON)
    while True:
        alerts += left_out_alerts(pool, observed, rig)
        rig = with_noise_of_joints(rig, observed)
        checks = []
        for recording, own in zip(pool, observed, strict=True):
            scaled = own.scale_focal(rig.focal_scale)
            check = fitting_views(recording, scaled, rig.R, rig.t, leave_out=True, given=False)
            if isinstance(check, Refused):
                return check
            checks.append(check)
        wrong = rig.has_extrinsics & ~np.stack([check.fits for check in checks])
        in_most = wrong.mean(0) > 0.5
        if not in_most.any():
            break
        alerts += [alert for check in checks for alert in check.alerts if alert.severity == "error"]
        sigma = np.where(in_most, np.inf, sigma)
        try:
            rig = find_rig(points_norm, sigma, seed=params.seed, focal=FOCAL[params.focal])
        except RigNotFound as error:
            return refused(subject_of(pool), str(error), more=alerts)
    left_out = {
        recording.name: frozenset(recording.views[v].name for v in np.flatnonzero(out))
        for recording, out in zip(pool, wrong, strict=True)
    }
    alerts += [alert for check in checks for alert in check.alerts]
    return _AgreedRig(rig, tuple(alerts), left_out, observed, sigma)


@dataclass(frozen=True)
class _OnePerson:
    """A rig from what views show of one person."""

    rig: Rig
    observed: list[Observations]  # of each recording
    sigma: np.ndarray  # (F, P, V) of the landmarks
    several: bool  # whether views show other people, too


def _rig_of_one_person(
    pool: Sequence[Recording], observed: list[Observations], points_norm: np.ndarray, sigma: np.ndarray,
    params: CalibrateParams,
) -> _OnePerson:  # fmt: skip
    """Calibrate, and again without what the rig tells to be of other people. Raises RigNotFound."""
    found = _OnePerson(
        find_rig(points_norm, sigma, seed=params.seed, focal=FOCAL[params.focal]), observed, sigma, False
    )
    for _ in range(PEOPLE_PASSES):
        mixed = mixed_people(pool, observed, found.rig)
        if not any(where.any() for where in mixed):
            break
        cleaned = np.where(np.concatenate(mixed)[:, None], np.inf, sigma)
        rig = find_rig(points_norm, cleaned, seed=params.seed, focal=FOCAL[params.focal])
        found = _OnePerson(rig, without(observed, mixed), cleaned, True)
    return found
