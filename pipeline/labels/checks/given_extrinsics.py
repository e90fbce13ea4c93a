"""Extrinsics that contradict the people in them: exchanged videos, other units, cameras that do not fit."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Recording
from pipeline.geometry.body.scale import Scale
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.geometry.verification.exchanged_views import Exchange, find_exchange
from pipeline.geometry.verification.given_residuals import ViewNoise, left_out_noise
from pipeline.geometry.verification.given_size import SizeOfPeople, judge_size
from pipeline.labels.observations import EXPECTED_NOISE, Observations, assumed_cameras, observe
from pipeline.labels.rig_result import Refused, refused
from pipeline.params.calibrate import CalibrateParams
from pipeline.stores import POSES2D, open_store

# Evenly spread frames of a recording that the extrinsics are compared with.
FRAMES = 60
# Noise of a view against the others, as a multiple of the expected sigma. A usable detector leaves 0.8 in the median
# (1.9 % of the person's height). Up to the first limit nothing is said, beyond the second the view is not usable.
NOTED_NOISE, MAX_NOISE = 1.25, 2.5


@dataclass(frozen=True)
class FittingViews:
    """The views whose given extrinsics fit the people, and doubts about them and the others."""

    fits: np.ndarray  # (V,) bool
    alerts: tuple[Alert, ...]


def exchanged_views(
    recording: Recording, poses2d: Path, R: np.ndarray, t: np.ndarray, params: CalibrateParams
) -> Refused | None:
    """A refusal if other videos fit the given extrinsics R (V, 3, 3), t (V, 3) far better; it names them."""
    posed = np.flatnonzero(np.isfinite(t).all(-1))
    group = open_store(poses2d, POSES2D)[recording.name].person(0)
    rows = linspace_indices(group.n_rows, FRAMES)
    cameras = assumed_cameras(recording, ignore_distortion=params.ignore_distortion)
    of_cameras = [
        observe(recording, [cameras[v]] * len(cameras), group, rows, min_confidence=params.min_confidence)
        for v in posed
    ]
    own = [(one.points_norm[:, :, v], one.sigma[:, :, v]) for one, v in zip(of_cameras, posed, strict=True)]
    noise = left_out_noise(np.stack([x for x, _ in own], 2), np.stack([s for _, s in own], 2), R[posed], t[posed])
    if not (noise.lower_quartile > NOTED_NOISE).any():
        return None
    found = find_exchange(
        np.stack([one.points_norm[:, :, posed] for one in of_cameras], 3),
        np.stack([one.sigma[:, :, posed] for one in of_cameras], 3), R[posed], t[posed],
    )  # fmt: skip
    return None if found is None else _exchanged(recording, found, posed)


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


def fitting_views(
    recording: Recording, observed: Observations, R: np.ndarray, t: np.ndarray, *, leave_out: bool
) -> Refused | FittingViews:
    """Which views fit the others; with `leave_out` views that contradict are left out while at least three remain.

    The extrinsics are R (V, 3, 3) and t (V, 3). A refusal if views that contradict the others remain.
    """
    few = observed.taken(linspace_indices(len(observed.points_norm), FRAMES))
    names, left_out = [view.name for view in recording.views], []
    fits, every = np.isfinite(t).all(-1), np.arange(len(t))
    noise = left_out_noise(few.points_norm, few.sigma, R, t)
    while (noise.lower_quartile[fits] > MAX_NOISE).any():
        if not leave_out or fits.sum() < 4:
            return _contradicting(recording, names, noise, fits)
        # The worst view is the one without which the others fit best: it also spoils theirs.
        without = {
            v: left_out_noise(few.points_norm, few.sigma, R, np.where((fits & (every != v))[:, None], t, np.nan))
            for v in np.flatnonzero(fits).tolist()
        }
        worst = min(without, key=lambda v: float(np.nanmax(without[v].lower_quartile, initial=0.0)))
        left_out.append(_left_out(recording.name, names[worst], noise.lower_quartile[worst]))
        fits[worst], noise = False, without[worst]
    return FittingViews(fits, (*left_out, *_doubts(recording.name, noise, fits, names)))


def _contradicting(recording: Recording, names: list[str], noise: ViewNoise, fits: np.ndarray) -> Refused:
    bad = [f"{names[v]} by {noise.lower_quartile[v]:.1f}" for v in np.flatnonzero(fits)]
    usual = f"times the error of a usable detector ({EXPECTED_NOISE:.0%} of the person's height)"
    reason = f"the people contradict the cameras: {', '.join(bad)} {usual}"
    mend = (
        "Check that the calibration is of these videos and that nobody moved a camera since; several people in view"
        " do the same. calibrate.mode: adjust corrects small errors of the extrinsics, rig needs none."
    )
    return refused(recording.name, reason, kind="given_cameras_contradict", mend=mend)


def _left_out(recording: str, view: str, noise: float) -> Alert:
    return Alert(
        kind="view_contradicts", severity="error", subject=f"{recording}, {view}",
        message="the view is left out, because it contradicts the others",
        evidence=f"its detections lie {noise:.1f} times the usual error from where the other views see the joints",
        mend="Check this camera's calibration, and whether the camera moved or shows another person.",
    )  # fmt: skip


def _doubts(recording: str, noise: ViewNoise, fits: np.ndarray, names: list[str]) -> list[Alert]:
    """A warning about views that contradict the others in most frames, else a note if the cameras fit only roughly."""
    often = [v for v in np.flatnonzero(fits) if noise.median[v] > MAX_NOISE]
    roughly = [v for v in np.flatnonzero(fits) if NOTED_NOISE < noise.median[v] <= MAX_NOISE]
    alerts = [
        Alert(
            kind="view_contradicts", severity="warning", subject=f"{recording}, {names[v]}",
            message="the view contradicts the others in many frames",
            evidence=f"by {noise.median[v]:.1f} times the usual error in the median,"
            f" by {noise.lower_quartile[v]:.1f} in the best quarter of the frames",
            mend="Several people in view, or a detector that often fails, do this: see the worst frames in the report.",
        )
        for v in often
    ]  # fmt: skip
    if roughly:
        evidence = ", ".join(f"{names[v]} {noise.median[v]:.1f}" for v in roughly)
        alerts.append(Alert(
            kind="given_cameras_rough", severity="note", subject=recording,
            message="the given cameras fit the people only roughly", evidence=f"times the usual error: {evidence}",
            mend="calibrate.mode: adjust refines them.",
        ))  # fmt: skip
    return alerts


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
