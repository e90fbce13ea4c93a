"""Checks that the views of a recording run in step, from its 2D poses: views that do not are left out or refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Recording
from pipeline.geometry.frame_sampling import spread_windows
from pipeline.geometry.verification.time_offset import SURE, SURE_GAIN, TimeOffsets, find_time_offsets
from pipeline.labels.observations import assumed_cameras, observe, observe_landmarks
from pipeline.params.calibrate import CalibrateParams
from pipeline.stores import POSES2D, open_store

# The check reads at most this many windows of this many seconds, and of at least this many frames.
WINDOWS, WINDOW_S, WINDOW_FRAMES = 6, 4.0, 64
# A long recording is also checked in this many parts, of at least this many seconds and frames, for smaller lags:
# frames that a camera dropped put it out of step for a part of the recording.
PARTS, PART_S, PART_FRAMES, PART_SEARCH_S = 3, 2.0, 40, 0.4
LEFT_OUT = "; it is left out"  # of the message about a view
# Smaller offsets are worth a note from this many frames, and a warning from this effect on the image points.
WORTH_NOTING, WORTH_WARNING = 0.3, 0.5


@dataclass(frozen=True)
class TimeCheck:
    """The views of a recording that are out of step with the others, and the alerts that say so."""

    left_out: frozenset[str]  # names of views that must not be used together with the others
    reason: str | None  # why the recording cannot be used; None if it can
    alerts: tuple[Alert, ...]


def check_times(recording: Recording, poses2d: Path, params: CalibrateParams) -> TimeCheck:
    """Compare the views of a recording in time.

    A view whose offset from the others moves its image points by much of their noise is left out if two others remain
    in step; otherwise the recording cannot be used.
    """
    if not recording.n_frames:
        return TimeCheck(frozenset(), None, ())
    points_norm, sigma, window, rows = _windows(recording, poses2d, params)
    offsets = find_time_offsets(points_norm, sigma, window, fps=recording.fps, seed=params.seed)
    labelling = recording.view_indices(for_labels=True)
    late = [v for v in labelling if not offsets.in_step[v]]
    notes = [_note(recording, v, offsets) for v in np.flatnonzero(_is_small(offsets)).tolist()]
    alerts = [_late(recording, v, offsets) for v in late]
    if not late:
        for part in _parts(len(rows), recording.fps):
            own = find_time_offsets(
                points_norm[part], sigma[part], window[part] - window[part[0]],
                fps=recording.fps, seed=params.seed, search_s=PART_SEARCH_S,
            )  # fmt: skip
            jumped = [v for v in labelling if not own.in_step[v]]
            alerts += [_jumped(recording, v, own, (int(rows[part[0]]), int(rows[part[-1]]))) for v in jumped]
            late = sorted({*late, *jumped})
    usable = [v for v in labelling if np.isfinite(sigma[:, :, v]).any()]
    if late and len(set(usable) - set(late)) < 2:
        reason = "its views do not run in step: " + "; ".join(f"{one.subject}: {one.message}" for one in alerts)
        errors = [one.model_copy(update={"severity": "error"}) for one in alerts]
        return TimeCheck(frozenset(), reason.replace(LEFT_OUT, ""), tuple(errors))
    return TimeCheck(frozenset(recording.views[v].name for v in late), None, (*alerts, *notes))


def _parts(n: int, fps: float) -> list[np.ndarray]:
    """The indices of n frames in parts, in each of which offsets are looked for; none for short recordings."""
    if n < PARTS * max(PART_S * fps, PART_FRAMES):
        return []
    return np.array_split(np.arange(n), PARTS)


def _windows(
    recording: Recording, poses2d: Path, params: CalibrateParams
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Points, sigma, window number and row of all landmarks in windows spread over the recording."""
    poses = open_store(poses2d, POSES2D)[recording.name].person(0)
    cameras = assumed_cameras(recording, ignore_distortion=params.ignore_distortion)
    length = max(WINDOW_FRAMES, round(WINDOW_S * recording.fps))
    spans = spread_windows(poses.n_rows, WINDOWS, length)
    if poses.n_rows <= WINDOWS * length:
        spans = [(0, poses.n_rows)]
    parts, least = [], params.min_confidence
    for rows in spans:
        observed = observe(recording, cameras, poses, rows, min_confidence=least)
        parts.append(observe_landmarks(recording, cameras, poses, rows, observed, min_confidence=least))
    points_norm, sigma = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    window = np.repeat(np.arange(len(parts)), [len(part[1]) for part in parts])
    return points_norm, sigma, window, np.concatenate([np.arange(*rows) for rows in spans])


def _is_small(offsets: TimeOffsets) -> np.ndarray:
    """Which views (V,) in step have a small but certain offset; of two views only the late one."""
    certain = (np.abs(offsets.frames) > SURE * offsets.std) & (offsets.certainty > SURE_GAIN)
    small = offsets.in_step & certain & (np.abs(offsets.frames) >= WORTH_NOTING)
    is_pair = int((offsets.in_step & np.isfinite(offsets.frames)).sum()) == 2
    return np.asarray(small & (offsets.frames > 0) if is_pair else small)


def _amount(recording: Recording, v: int, offsets: TimeOffsets) -> str:
    frames, std = offsets.frames[v], offsets.std[v]
    return f"{abs(frames):.1f} +- {std:.1f} frames ({abs(frames) / recording.fps:.3f} s)"


def _direction(v: int, offsets: TimeOffsets) -> str:
    return "late" if offsets.frames[v] > 0 else "early"


def _mend(recording: Recording, v: int, offsets: TimeOffsets) -> str:
    """A view that shows everything n frames late began to record n frames before the others."""
    n = max(1, round(abs(offsets.frames[v])))
    whose = recording.views[v].name if offsets.frames[v] > 0 else "all other views"
    return f"Trim {n} frames from the start of {whose}, or synchronise the cameras."


def _evidence(v: int, offsets: TimeOffsets) -> str:
    return (
        f"{abs(offsets.frames[v]) / offsets.std[v]:.0f} standard deviations; the image points are "
        f"{offsets.effect[v]:.1f} times their noise away from where the other views see them"
    )


def _late(recording: Recording, v: int, offsets: TimeOffsets) -> Alert:
    name = recording.views[v].name
    what = f"the view shows everything {_amount(recording, v, offsets)} {_direction(v, offsets)}{LEFT_OUT}"
    return Alert(
        kind="late_camera", severity="warning", subject=f"{recording.name}, {name}", message=what,
        evidence=_evidence(v, offsets), mend=_mend(recording, v, offsets),
    )  # fmt: skip


def _note(recording: Recording, v: int, offsets: TimeOffsets) -> Alert:
    name, is_large = recording.views[v].name, bool(offsets.effect[v] > WORTH_WARNING)
    what = f"the view shows everything {_amount(recording, v, offsets)} {_direction(v, offsets)}; it is used"
    return Alert(
        kind="late_camera", severity="warning" if is_large else "note", subject=f"{recording.name}, {name}",
        message=what, evidence=_evidence(v, offsets), mend="Synchronise the cameras." if is_large else "",
    )  # fmt: skip


def _jumped(recording: Recording, v: int, offsets: TimeOffsets, rows: tuple[int, int]) -> Alert:
    name = recording.views[v].name
    what = f"between frames {rows[0]} and {rows[1]} the view shows everything {_amount(recording, v, offsets)}"
    return Alert(
        kind="dropped_frames", severity="warning", subject=f"{recording.name}, {name}",
        message=f"{what} {_direction(v, offsets)}{LEFT_OUT}", evidence=_evidence(v, offsets),
        mend="A video probably lacks frames: record at a constant frame rate, or keep its time stamps.",
    )  # fmt: skip


def with_views_in_step(pool: Sequence[Recording], checks: Mapping[str, TimeCheck]) -> list[Recording]:
    """The recordings to calibrate a pool from: views that are out of step count as for evaluation only.

    Recordings with all their views come first, as what all recordings share is read from the first.
    """
    pool = sorted(pool, key=lambda recording: len(checks[recording.name].left_out))
    return [_without(recording, checks[recording.name].left_out) for recording in pool]


def _without(recording: Recording, names: frozenset[str]) -> Recording:
    hidden = {"evaluation_only": True}
    views = [view.model_copy(update=hidden) if view.name in names else view for view in recording.views]
    return recording.model_copy(update={"views": views})
