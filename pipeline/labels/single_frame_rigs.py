"""Calibration tasks for frames on their own: one rig per frame, all in one world and one unit."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Recording
from pipeline.geometry.body.scale import Scale
from pipeline.geometry.calibration.calibrated_rig import Rig, unknown_rig
from pipeline.geometry.calibration.rig import MAX_ROTATION_STD_DEG
from pipeline.geometry.calibration.single_frame.common_world import align_by_person, in_one_world
from pipeline.geometry.calibration.single_frame.rig_per_frame import MIN_MATCHES, find_rigs
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.labels.moving_rig import fields_of_rigs, noise_of_joints, observe_recording
from pipeline.labels.observations import EXPECTED_NOISE, Observations
from pipeline.labels.people_in_rig import (
    FRAMES_FOR_SCALE,
    People,
    scale_alerts,
    scale_missing,
    scale_of,
    stds_of,
    vertical_of,
)
from pipeline.labels.rig_result import CalibrationResult, Refused, arrays_of, refused
from pipeline.params.calibrate import CalibrateParams
from pipeline.skeleton import N_JOINTS

# Above this share of frames in which a view contradicts the others, that is a warning.
MANY_CONTRADICT = 0.1


@dataclass(frozen=True)
class FrameRigs:
    """The rigs of some frames, each calibrated from its own frame, in its own world and all in the person's unit."""

    rigs: list[Rig | None]  # of each frame
    failed: Counter[str]  # number of frames without a rig, by reason
    observed: Observations  # the joints
    people: People  # the person in each frame, in the world of the frame's rig; NaN without a rig
    noise: float  # of the joints, as a multiple of the expected sigma; NaN without a rig
    n_contradicting: int  # frames in which a view was left out though it shows the person


def rigs_of_frames(recording: Recording, poses2d: Path, rows: tuple[int, int], params: CalibrateParams) -> FrameRigs:
    """Calibrate each frame of the rows (start, stop) on its own."""
    observed, landmarks = observe_recording(recording, poses2d, rows, params)
    results = find_rigs(observed.points_norm, observed.sigma, *landmarks, seed=params.seed)
    rigs = [None if isinstance(result, str) else result for result in results]
    failed = Counter(result for result in results if isinstance(result, str))
    all_rigs = [rig or unknown_rig(len(observed.focal_px)) for rig in rigs]
    noise = float("nan")
    people = People(np.full((len(rigs), N_JOINTS, 3), np.nan), np.full((len(rigs), N_JOINTS, 6), np.nan))
    if any(rigs):
        R, t = np.stack([rig.R for rig in all_rigs]), np.stack([rig.t for rig in all_rigs])
        noise = noise_of_joints(observed, R, t)
        people = People.triangulated(observed, R, t, noise)
    return FrameRigs(rigs, failed, observed, people, noise, _n_contradicting(observed, rigs))


def _n_contradicting(observed: Observations, rigs: Sequence[Rig | None]) -> int:
    seen = np.isfinite(observed.sigma).sum(1) >= MIN_MATCHES
    return sum(rig is not None and bool((own & ~rig.has_extrinsics).any()) for own, rig in zip(seen, rigs, strict=True))


def joined_frames(
    recording: Recording, parts: Sequence[FrameRigs], params: CalibrateParams
) -> CalibrationResult | Refused:
    """The rigs of all frames of a recording in one world; if no frame has a rig, the most frequent reason."""
    if not parts:
        return refused(recording.name, "it has no frames")
    rigs = [rig for part in parts for rig in part.rigs]
    failed = sum((part.failed for part in parts), Counter[str]())
    if not any(rigs):
        return refused(recording.name, f"no frame could be calibrated: {failed.most_common(1)[0][0]}")
    scales = _scales_of(recording, parts, rigs, params)
    known = [scale is not None and bool(np.isfinite(scale.factor)) for scale in scales]
    n_unscaled = sum(rig is not None for rig in rigs) - sum(known)
    if n_unscaled:
        failed[scale_missing(params)] += n_unscaled
    if not any(known):
        return refused(recording.name, scale_missing(params))
    scaled = [
        rig.scaled(scale.factor) if rig and scale and is_known else None
        for rig, scale, is_known in zip(rigs, scales, known, strict=True)
    ]
    joints_cam, observed = _joints_cam(parts, rigs, scales), [part.observed for part in parts]
    noise = float(np.nanmedian([part.noise for part in parts]))
    aligned = align_by_person(
        in_one_world(scaled), joints_cam,
        np.concatenate([one.points_norm for one in observed]), noise * np.concatenate([one.sigma for one in observed]),
    )  # fmt: skip
    good = [rig for rig in aligned if rig is not None]
    if len(good) < sum(known):
        failed["it shares fewer than two cameras with the other frames"] += sum(known) - len(good)
    up = vertical_of(recording, [_in_world(joints_cam, aligned)], good[0], params)
    upright = [rig and rig.in_axes(up.axes, np.zeros(3)) for rig in aligned]
    # The person's proportions make the same error of the scale in all frames.
    scale = Scale(1.0, float(np.median([s.std for s, ok in zip(scales, known, strict=True) if s and ok])))
    fields = fields_of_rigs(recording, params, good, failed) | {
        "gravity": up.source, "noise_share": EXPECTED_NOISE * noise, **stds_of(scale, up),
    }  # fmt: skip
    alerts = (
        *scale_alerts(recording.name, scale, params),
        *_alerts(recording.name, good, sum(part.n_contradicting for part in parts)),
    )
    return CalibrationResult(arrays_of(upright, parts[0].observed.focal_px), fields, alerts)


def _scales_of(
    recording: Recording, parts: Sequence[FrameRigs], rigs: Sequence[Rig | None], params: CalibrateParams
) -> list[Scale | None]:
    """The scale of each frame's rig; one for all frames if it is determined from the person, whose unit all have."""
    if params.scale in ("baseline", "none"):
        return [None if rig is None else scale_of([recording], [], rig, params) for rig in rigs]
    with_rig = np.array([f for f, rig in enumerate(rigs) if rig is not None])
    few = with_rig[linspace_indices(len(with_rig), FRAMES_FOR_SCALE)]
    joints, covariance = (
        np.concatenate([getattr(part.people, name) for part in parts]) for name in ("joints", "covariance")
    )
    first = next(rig for rig in rigs if rig is not None)
    scale = scale_of([recording], [People(joints[few], covariance[few])], first, params)
    return [None if rig is None else scale for rig in rigs]


def _joints_cam(parts: Sequence[FrameRigs], rigs: Sequence[Rig | None], scales: Sequence[Scale | None]) -> np.ndarray:
    """Each frame's joints (F, J, 3) in mm in the frame of the first camera of its rig; NaN without a rig."""
    joints = np.concatenate([part.people.joints for part in parts])
    for f, (rig, scale) in enumerate(zip(rigs, scales, strict=True)):
        if rig is not None and scale is not None:
            view = int(rig.has_extrinsics.argmax())
            joints[f] = scale.factor * (joints[f] @ rig.R[view].T + rig.t[view])
    return joints


def _in_world(joints_cam: np.ndarray, rigs: Sequence[Rig | None]) -> People:
    """The people of evenly spread frames in the common world; their covariance is unknown."""
    joints = [np.zeros((0, *joints_cam.shape[1:]))]
    for f in linspace_indices(len(rigs), FRAMES_FOR_SCALE).tolist():
        if (rig := rigs[f]) is not None:
            view = int(rig.has_extrinsics.argmax())
            joints.append(((joints_cam[f] - rig.t[view]) @ rig.R[view])[None])
    found = np.concatenate(joints)
    return People(found, np.full((*found.shape[:2], 6), np.nan))


def _alerts(subject: str, rigs: Sequence[Rig], n_contradicting: int) -> list[Alert]:
    """Alerts about frames that determine their cameras poorly, and about views that contradict the others."""
    alerts = []
    std = float(np.median([np.nanmax(rig.rotation_std_deg) for rig in rigs]))
    if std > MAX_ROTATION_STD_DEG:
        alerts.append(Alert(
            kind="poor_rig", severity="warning", subject=subject,
            message="the joints of one frame hardly determine the cameras' directions",
            evidence=f"+-{std:.1f} deg in the median frame",
            mend="Use calibrate.mode rig, or window if the cameras move slowly; both also find cameras that are late, "
            "which look like this in mode frame.",
        ))  # fmt: skip
    if n_contradicting:
        many = n_contradicting > MANY_CONTRADICT * len(rigs)
        alerts.append(Alert(
            kind="contradicting_views", severity="warning" if many else "note", subject=subject,
            message="a view contradicts the other views and has no rig in some frames",
            evidence=f"in {n_contradicting} of {len(rigs)} frames",
            mend="Check there for exchanged sides, another person, or a view that is not synchronised." if many else "",
        ))  # fmt: skip
    return alerts
