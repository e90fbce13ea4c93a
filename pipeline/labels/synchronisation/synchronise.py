"""Finds when the frames of each view of a recording were taken, from its 2D poses, and verifies it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Recording
from pipeline.geometry.verification.time_offset import SEARCH_S, SURE, SURE_GAIN, TimeOffsets
from pipeline.geometry.view_time import ViewTime
from pipeline.labels.synchronisation import time_alerts
from pipeline.labels.synchronisation.drift import Part, drift_left
from pipeline.labels.synchronisation.sampled import read_sampled
from pipeline.labels.synchronisation.with_rig import JointOffsets, joint_offsets
from pipeline.params.calibrate import CalibrateParams
from pipeline.stores import TimeRecord

# Lags that are looked for after a correction, and in parts of a recording, in seconds.
LEFT_SEARCH_S, PART_SEARCH_S = 0.6, 0.4
# Corrections of what an earlier one has left over.
PASSES = 2
# Offsets that move the image points by less than this, in standard deviations of their noise, are not corrected:
# detectors follow one view later than another by as much, and views in step were put out of it.
LEAST_EFFECT = 0.4


@dataclass(frozen=True)
class Synchronisation:
    """The times of a recording's views, the views that remain out of step, and the alerts that say so."""

    times: list[TimeRecord]  # of every view
    left_out: frozenset[str]  # names of views that must not be used together with the others
    reason: str | None  # why the recording cannot be used; None if it can
    alerts: tuple[Alert, ...]


def no_offsets(recording: Recording) -> list[TimeRecord]:
    """The times of views that were not compared."""
    return [TimeRecord.of(view.name, view.time) for view in recording.views]


def synchronise(recording: Recording, poses2d: Path, params: CalibrateParams) -> Synchronisation:
    """Find the time offsets of the views of a recording, correct them, and check that the views are in step then.

    A view that remains out of step, by much of the noise of its image points, is left out if two others are in step;
    otherwise the recording cannot be used. In mode `window`, offsets are only told as a doubt: they are found by one
    epipolar geometry for all frames, and where cameras move, that of other frames may fit better.
    """
    if not recording.n_frames:
        return Synchronisation(no_offsets(recording), frozenset(), None, ())
    if params.mode == "window":
        return Synchronisation(no_offsets(recording), frozenset(), None, _doubts(recording, poses2d, params))
    found = _corrected(recording, poses2d, params)
    wrong, records = _out_of_step(recording, found), _records(recording, found)
    said = [alert for own in wrong.values() for alert in own]
    usable = set(recording.view_indices(for_labels=True)) & set(np.flatnonzero(found.has_detections).tolist())
    if wrong and len(usable - set(wrong)) < 2:
        reason = "its views do not run in step: " + "; ".join(f"{one.subject}: {one.message}" for one in said)
        errors = [one.model_copy(update={"severity": "error"}) for one in said]
        return Synchronisation(records, frozenset(), reason.replace(time_alerts.LEFT_OUT, ""), tuple(errors))
    mended = [v for v, view in enumerate(recording.views) if found.times[v] != view.time and v not in wrong]
    said += [time_alerts.corrected(recording, v, found.times[v], float(found.std[v]), found.before) for v in mended]
    return Synchronisation(records, frozenset(recording.views[v].name for v in wrong), None, tuple(said))


def _doubts(recording: Recording, poses2d: Path, params: CalibrateParams) -> tuple[Alert, ...]:
    """Alerts about views that would be out of step if the cameras stood still."""
    offsets = read_sampled(recording, poses2d, params).offsets(SEARCH_S, params.seed)
    late = sorted({*np.flatnonzero(~offsets.in_step).tolist(), *_constant_left(offsets, offsets.reference)})
    return tuple(time_alerts.doubted(recording, v, offsets) for v in late)


@dataclass(frozen=True)
class _Corrected:
    """The times of the views, and what was measured before the first correction and after the last one."""

    times: list[ViewTime]
    std: np.ndarray  # (V,)
    before: TimeOffsets
    after: TimeOffsets
    parts: list[Part]  # after the last correction
    has_detections: np.ndarray  # (V,)


class _Search:
    """The times of the views as far as they are known, and the detections at these times."""

    def __init__(self, recording: Recording, poses2d: Path, params: CalibrateParams) -> None:
        self.recording, self._poses2d, self._params = recording, poses2d, params
        self.times = [view.time for view in recording.views]
        self.sampled = read_sampled(recording, poses2d, params)

    def correct(self, left: Mapping[int, ViewTime]) -> None:
        """Take what is left into account, and read the detections at the new times."""
        for v, time in left.items():
            self.times[v] = self.times[v].corrected(time)
        if left:
            self.sampled = read_sampled(self.recording.with_times(self.times), self._poses2d, self._params)

    def offsets(self, search_s: float) -> TimeOffsets:
        """The offsets that pairs of views show."""
        return self.sampled.offsets(search_s, self._params.seed)

    def joint_offsets(self) -> JointOffsets | None:
        """The offsets that all views show together."""
        return joint_offsets(self.sampled, self._params.seed)

    def parts(self) -> list[Part]:
        """The offsets in parts of the recording."""
        return [Part(part.frames, part.offsets(PART_SEARCH_S, self._params.seed)) for part in self.sampled.parts()]


def _corrected(recording: Recording, poses2d: Path, params: CalibrateParams) -> _Corrected:
    """First by pairs of views, whose offsets may be large; then by all views together; then clocks that drift."""
    search = _Search(recording, poses2d, params)
    before = after = search.offsets(SEARCH_S)
    reference, std = before.reference, before.from_reference(before.reference)[1]
    for _ in range(PASSES):
        if not (left := _constant_left(after, reference)):
            break
        search.correct(left)
        after = search.offsets(LEFT_SEARCH_S)
    for _ in range(PASSES):
        if (joint := search.joint_offsets()) is None:
            break
        reference = joint.reference(reference)
        std = joint.from_reference(reference)[1]
        if not (left := joint.left(reference)):
            break
        search.correct(left)
    parts = search.parts()
    if left := drift_left(parts, reference, recording.n_frames):
        search.correct(left)
        parts = search.parts()
    if search.times != [view.time for view in recording.views]:
        after = search.offsets(LEFT_SEARCH_S)
    times = _without_small(recording, search.times, before)
    return _Corrected(times, std, before, after, parts, search.sampled.has_detections)


def _without_small(recording: Recording, times: Sequence[ViewTime], before: TimeOffsets) -> list[ViewTime]:
    """The times without corrections that have little effect on the image points."""
    effect_of_frame = before.effect / np.maximum(np.abs(before.frames), 1e-9)
    effect = effect_of_frame * [float(np.abs(time.offsets).max()) for time in times]
    small = before.in_step & (effect < LEAST_EFFECT)
    return [view.time if small[v] else times[v] for v, view in enumerate(recording.views)]


def _constant_left(offsets: TimeOffsets, reference: np.ndarray) -> dict[int, ViewTime]:
    """The offsets of views that are certainly not those of the reference views."""
    frames, std = offsets.from_reference(reference)
    is_certain = ~offsets.reference | ((np.abs(frames) > SURE * std) & (offsets.certainty > SURE_GAIN))
    late = is_certain & ~reference & (np.abs(frames) > std)
    return {v: ViewTime((0.0,), (float(frames[v]),)) for v in np.flatnonzero(late).tolist()}


def _out_of_step(recording: Recording, found: _Corrected) -> dict[int, list[Alert]]:
    """The labelling views that remain out of step, in the whole recording or in a part of it, and alerts about them."""
    labelling = recording.view_indices(for_labels=True)
    wrong = {v: [time_alerts.late(recording, v, found.after)] for v in labelling if not found.after.in_step[v]}
    if wrong:
        return wrong
    for part in found.parts:
        span = int(part.frames[0]), int(part.frames[-1])
        for v in labelling:
            if not part.offsets.in_step[v]:
                wrong.setdefault(v, []).append(time_alerts.jumped(recording, v, part.offsets, span))
    return wrong


def _records(recording: Recording, found: _Corrected) -> list[TimeRecord]:
    return [
        TimeRecord.of(view.name, time, float(std) if np.isfinite(std) else None)
        for view, time, std in zip(recording.views, found.times, found.std, strict=True)
    ]


def with_views_in_step(pool: Sequence[Recording], found: Mapping[str, Synchronisation]) -> list[Recording]:
    """The recordings to calibrate a pool from, with the times found; views out of step count as for evaluation only.

    Recordings with all their views come first, as what all recordings share is read from the first.
    """
    pool = sorted(pool, key=lambda recording: len(found[recording.name].left_out))
    return [_without(recording, found[recording.name]) for recording in pool]


def _without(recording: Recording, found: Synchronisation) -> Recording:
    timed = recording.with_times([record.time for record in found.times])
    hidden = {"evaluation_only": True}
    views = [view.model_copy(update=hidden) if view.name in found.left_out else view for view in timed.views]
    return timed.model_copy(update={"views": views})
