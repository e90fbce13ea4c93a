"""Extrinsics that contradict the people in them: exchanged videos, other units, cameras that do not fit."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Recording
from pipeline.geometry.body.scale import Scale
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.geometry.verification.exchanged_views import Exchange, find_exchange
from pipeline.geometry.verification.given_residuals import Consistency, consistent_views, left_out_noise
from pipeline.geometry.verification.given_size import SizeOfPeople, judge_size
from pipeline.labels.checks.mirrored_images import mirrored_alerts
from pipeline.labels.observations import EXPECTED_NOISE, Observations, assumed_cameras, observe, open_detections
from pipeline.labels.rig_result import Refused, refused
from pipeline.params.calibrate import CalibrateParams

# Evenly spread frames of a recording that the extrinsics are compared with.
FRAMES = 60
# Noise of a view against the others, as a multiple of the expected sigma. A usable detector leaves 0.8 in the median
# (1.9 % of the person's height). Up to the first limit nothing is said, beyond the second it is a warning.
NOTED_NOISE, WARNED_NOISE = 1.25, 2.5


@dataclass(frozen=True)
class FittingViews:
    """The views whose extrinsics fit the people, and doubts about them and the others."""

    fits: np.ndarray  # (V,) bool
    alerts: tuple[Alert, ...]


def fitting_views(
    recording: Recording, observed: Observations, R: np.ndarray, t: np.ndarray, *, leave_out: bool, given: bool = True
) -> Refused | FittingViews:
    """Which views have extrinsics R (V, 3, 3), t (V, 3) that fit the people; a refusal if too few views fit.

    With `leave_out`, views that contradict the others are left out if others fit, else they are a reason to refuse.
    Whether the extrinsics fit only roughly is said of those `given`, as others fit as well as the detections allow.
    """
    few = observed.taken(linspace_indices(len(observed.points_norm), FRAMES))
    names = [view.name for view in recording.views]
    found = consistent_views(few.points_norm, few.sigma, R, t)
    wrong = np.isfinite(found.noise) & ~found.consistent
    mirrored = mirrored_alerts(recording.name, names, few.points_norm, few.sigma, R, t, np.flatnonzero(wrong).tolist())
    if wrong.any() and not (leave_out and found.consistent.any()):
        return _contradicting(recording, names, found, given, mirrored)
    left_out = [_left_out(recording.name, names[v], found.noise[v], given) for v in np.flatnonzero(wrong)]
    fits = np.isfinite(t).all(-1) & ~wrong
    noise = left_out_noise(few.points_norm, few.sigma, R, np.where(fits[:, None], t, np.nan))
    rough = (_rough(recording.name, noise, names),) if given and _is_rough(noise).any() else ()
    return FittingViews(fits, (*left_out, *mirrored, *_contradictions(recording.name, noise, names), *rough))


def exchanged_views(
    recording: Recording, poses2d: Path, observed: Observations, R: np.ndarray, t: np.ndarray, params: CalibrateParams
) -> Refused | None:
    """A refusal if other videos fit the given extrinsics R (V, 3, 3), t (V, 3) far better; it names them."""
    few = observed.taken(linspace_indices(len(observed.points_norm), FRAMES))
    found = consistent_views(few.points_norm, few.sigma, R, t)
    if not (np.isfinite(found.noise) & ~found.consistent).any():
        return None
    posed = np.flatnonzero(np.isfinite(t).all(-1))
    group = open_detections(poses2d, recording)
    rows = linspace_indices(group.n_rows, FRAMES)
    cameras = assumed_cameras(recording, ignore_distortion=params.ignore_distortion)
    # The views as each camera would see them.
    of_cameras = [
        observe(recording, [cameras[v]] * len(cameras), group, rows, min_confidence=params.min_confidence)
        for v in posed
    ]
    exchange = find_exchange(
        np.stack([one.points_norm[:, :, posed] for one in of_cameras], 3),
        np.stack([one.sigma[:, :, posed] for one in of_cameras], 3), R[posed], t[posed],
    )  # fmt: skip
    return None if exchange is None else _exchanged(recording, exchange, posed)


def _exchanged(recording: Recording, found: Exchange, posed: np.ndarray) -> Refused:
    names = [recording.views[v].name for v in posed]
    moves = [(names[video], names[v]) for v, video in enumerate(found.video_of_camera) if video != v]
    fits = ", ".join(f"the video of {video} fits the camera {camera}" for video, camera in moves)
    evidence = (
        f"the detections miss each other by {found.noise_given:.1f} times the usual error, {found.noise:.1f} after"
    )
    mend = "Rename the videos, or the cameras in the calibration file: " + ", ".join(f"{a} -> {b}" for a, b in moves)
    alert = Alert(
        kind="exchanged_views", severity="error", subject=recording.name, evidence=evidence, mend=f"{mend}.",
        message=f"not calibrated: the videos are exchanged: {fits}",
    )  # fmt: skip
    return Refused(f"the videos are exchanged: {fits}", (alert,))


def _contradicting(
    recording: Recording, names: list[str], found: Consistency, given: bool, more: list[Alert]
) -> Refused:  # fmt: skip
    by = [f"{names[v]} by {found.noise[v]:.1f}" for v in np.flatnonzero(np.isfinite(found.noise))]
    usual = f"times the error of a usable detector ({EXPECTED_NOISE:.0%} of the person's height)"
    reason = f"the people contradict the cameras: {', '.join(by)} {usual}"
    mend = "Several people in view, a camera that moved, or views that are not synchronised do this."
    if given:
        mend = (
            "Check that the calibration is of these videos and that nobody moved a camera since. calibrate.mode: adjust"
            " corrects small errors of the extrinsics, rig needs none."
        )
    return refused(recording.name, reason, kind="given_cameras_contradict", mend=mend, more=more)


def _left_out(recording: str, view: str, noise: float, given: bool) -> Alert:
    mend = "A detector that fails on this view, another person in it, or a camera that moved do this."
    if given:
        mend = "Check this camera's calibration, and whether the camera moved or shows another person."
    return Alert(
        kind="view_contradicts", severity="error", subject=f"{recording}, {view}",
        message="the view is left out, because it contradicts the others",
        evidence=f"its detections lie {noise:.1f} times the usual error from where the other views see the joints",
        mend=mend,
    )  # fmt: skip


def _contradictions(recording: str, noise: np.ndarray, names: list[str]) -> list[Alert]:
    """A warning about each view that contradicts the others in most frames."""
    return [
        Alert(
            kind="view_contradicts", severity="warning", subject=f"{recording}, {names[v]}",
            message="the view contradicts the others in many frames, though its camera fits in some",
            evidence=f"by {noise[v]:.1f} times the usual error in the median",
            mend="Several people in view, or a detector that often fails, do this: see the worst frames in the report.",
        )
        for v in np.flatnonzero(noise > WARNED_NOISE)
    ]  # fmt: skip


def _is_rough(noise: np.ndarray) -> np.ndarray:
    return (noise > NOTED_NOISE) & (noise <= WARNED_NOISE)


def _rough(recording: str, noise: np.ndarray, names: list[str]) -> Alert:
    evidence = ", ".join(f"{names[v]} {noise[v]:.1f}" for v in np.flatnonzero(_is_rough(noise)))
    return Alert(
        kind="given_cameras_rough", severity="note", subject=recording,
        message="the given cameras fit the people only roughly", evidence=f"times the usual error: {evidence}",
        mend="calibrate.mode: adjust refines them.",
    )  # fmt: skip


def size_of_people(recording: str, scale: Scale) -> Refused | tuple[Alert, ...]:
    """What people's size says about the given unit; `scale` is the factor that would make them mean adults."""
    size = judge_size(scale)
    if size is None or size.verdict == "usual":
        return ()
    height = f"{_rounded(size.ratio)} times the size of a mean adult, +-{size.std:.0%}"
    if size.verdict == "impossible":
        reason = f"people are {height}: the given cameras have another unit of length"
        return refused(recording, reason, kind="wrong_unit", mend=_unit_mend(scale, size))
    return (
        Alert(
            kind="unusual_size", severity="note", subject=recording, message=f"people are {height}",
            mend="If they are not children or very tall, check the unit of the calibration's translations.",
        ),
    )  # fmt: skip


def _unit_mend(scale: Scale, size: SizeOfPeople) -> str:
    unit_mm = f"(a metre of the given ones is about {_rounded(1000 * scale.factor)} mm)"
    unit = size.unit or f"in another unit, such as squares of a board {unit_mm}"
    return f"Multiply the translations by {_rounded(scale.factor)}: they seem to be {unit}."


def _rounded(number: float) -> str:
    """Two significant digits, without an exponent.

    >>> _rounded(959.2), _rounded(0.0803)
    ('960', '0.08')
    """
    return f"{float(f'{number:.2g}'):.12g}" if number > 1e-4 else f"{number:.2g}"
