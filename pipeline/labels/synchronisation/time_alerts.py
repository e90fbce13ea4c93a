"""Alerts about the times of views: which camera, how late, how sure, and what became of it."""

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Recording
from pipeline.geometry.verification.time_offset import TimeOffsets
from pipeline.geometry.view_time import ViewTime

LEFT_OUT = "; it is left out"  # of the message about a view
# Corrected offsets from this effect on the image points, in standard deviations of their noise, are a warning.
WORTH_WARNING = 0.5


def late(recording: Recording, v: int, offsets: TimeOffsets) -> Alert:
    """A view that is out of step and left out."""
    what = f"the view shows everything {_amount(recording, offsets.frames[v], offsets.std[v])}"
    return Alert(
        kind="late_camera", severity="warning", subject=_subject(recording, v), message=f"{what}{LEFT_OUT}",
        evidence=_evidence(v, offsets), mend=_mend(recording, v, offsets.frames[v]),
    )  # fmt: skip


def jumped(recording: Recording, v: int, offsets: TimeOffsets, frames: tuple[int, int]) -> Alert:
    """A view that is out of step for a part of the recording and left out."""
    what = f"between frames {frames[0]} and {frames[1]} the view shows everything"
    return Alert(
        kind="dropped_frames", severity="warning", subject=_subject(recording, v),
        message=f"{what} {_amount(recording, offsets.frames[v], offsets.std[v])}{LEFT_OUT}",
        evidence=_evidence(v, offsets),
        mend="A video probably lacks frames: record at a constant frame rate, or keep its time stamps.",
    )  # fmt: skip


def corrected(recording: Recording, v: int, time: ViewTime, std: float, before: TimeOffsets) -> Alert:
    """A view whose time was corrected."""
    offsets = np.array(time.offsets)
    amount = _amount(recording, offsets[np.abs(offsets).argmax()], std)
    varies = f", changing from {offsets[0]:+.1f} to {offsets[-1]:+.1f}" if np.ptp(offsets) > std else ""
    is_large = bool(before.effect[v] > WORTH_WARNING or not before.in_step[v])
    return Alert(
        kind="camera_synchronised", severity="warning" if is_large else "note", subject=_subject(recording, v),
        message=f"the view shows everything {amount}{varies}; its times were corrected",
        evidence=_evidence(v, before), mend="Synchronise the cameras." if is_large else "",
    )  # fmt: skip


def doubted(recording: Recording, v: int, offsets: TimeOffsets) -> Alert:
    """A view that would be out of step if the cameras stood still, as they do not in mode `window`."""
    amount = _amount(recording, offsets.frames[v], offsets.std[v])
    return Alert(
        kind="late_camera", severity="warning", subject=_subject(recording, v),
        message=f"if the cameras stood still, the view would show everything {amount}; it is used as it is",
        evidence=_evidence(v, offsets),
        mend="Make sure that the cameras run in step. If they hardly move, calibrate.mode: rig corrects their times.",
    )  # fmt: skip


def _subject(recording: Recording, v: int) -> str:
    return f"{recording.name}, {recording.views[v].name}"


def _amount(recording: Recording, frames: float, std: float) -> str:
    direction = "late" if frames > 0 else "early"
    return f"{abs(frames):.1f} +- {std:.1f} frames ({abs(frames) / recording.fps:.3f} s) {direction}"


def _mend(recording: Recording, v: int, frames: float) -> str:
    """A view that shows everything n frames late began to record n frames before the others."""
    n = max(1, round(abs(frames)))
    whose = recording.views[v].name if frames > 0 else "all other views"
    return f"Trim {n} frames from the start of {whose}, or synchronise the cameras."


def _evidence(v: int, offsets: TimeOffsets) -> str:
    return (
        f"{abs(offsets.frames[v]) / offsets.std[v]:.0f} standard deviations; the image points are "
        f"{offsets.effect[v]:.1f} times their noise away from where the other views see them"
    )
