"""Alerts about videos that lack frames or that differ from those of the other views."""

from collections.abc import Mapping

from pipeline.alerts import Alert
from pipeline.video.moments import SAME_RATE
from pipeline.video.times import dropped_frames
from pipeline.video.view_packing import PackedView

MAX_GAPS = 5  # in a video that an alert lists
# Videos whose lengths differ by more than this may start at different times, by more than is found from the people.
MAX_DIFFERENCE_S = 1.2


def alerts_of_videos(recording: str, views: Mapping[str, PackedView]) -> list[Alert]:
    """The alerts about the videos of a recording, by the names of their views."""
    alerts = [_damaged(recording, name, packed) for name, packed in views.items()]
    alerts += [_dropped(recording, name, packed) for name, packed in views.items()]
    return [alert for alert in [*alerts, _rates(recording, views)] if alert is not None]


def alert_of_lengths(recording: str, lengths: Mapping[str, int], fps: float, *, timed: bool) -> Alert:
    """An alert about views of different lengths, in frames of a clock of `fps`, that are trimmed to the shortest.

    If the views are `timed`, by times given beside the videos, the lengths count from the moment when all have begun.
    """
    if timed:
        return Alert(
            kind="unequal_lengths", severity="note", subject=recording,
            message=f"the views end at different times; the {min(lengths.values())} moments that all of them show are "
            "used", evidence=", ".join(f"{name} {n}" for name, n in lengths.items()),
        )  # fmt: skip
    difference_s = (max(lengths.values()) - min(lengths.values())) / fps
    return Alert(
        kind="unequal_lengths", severity="warning" if difference_s > MAX_DIFFERENCE_S else "note", subject=recording,
        message=f"the views have different lengths; the first {min(lengths.values())} moments are used, as if all "
        "videos started together", evidence=", ".join(f"{name} {n}" for name, n in lengths.items()),
        mend="If they do not start together, trim them to the same moments, or give the times of their frames.",
    )  # fmt: skip


def _dropped(recording: str, name: str, packed: PackedView) -> Alert | None:
    clock = packed.clock
    gaps = dropped_frames(clock.numbers) if clock.is_regular else []
    if not gaps:
        return None
    missing = sum(gap.missing for gap in gaps)
    listed = ", ".join(f"{gap.missing} before frame {gap.number}" for gap in gaps[:MAX_GAPS])
    more = f" and at {len(gaps) - MAX_GAPS} more places" if len(gaps) > MAX_GAPS else ""
    what = f"{missing} frames are missing from the video; joints are interpolated over short gaps, missing in long ones"
    return Alert(
        kind="dropped_frames", severity="note", subject=f"{recording}, {name}", message=what,
        evidence=f"by its time stamps {listed}{more}",
    )  # fmt: skip


def _damaged(recording: str, name: str, packed: PackedView) -> Alert | None:
    if not (packed.n_damaged or packed.header.is_cut_off):
        return None
    n = len(packed.header.clock.numbers)
    cut_off = f"the file is cut off; the {n} frames that are left are used"
    damaged = f"{packed.n_damaged} parts of the video cannot be decoded; images after them may be wrong"
    is_damaged = packed.n_damaged > packed.header.is_cut_off  # the last part of a file that is cut off is incomplete
    return Alert(
        kind="damaged_video", severity="warning" if is_damaged else "note", subject=f"{recording}, {name}",
        message=damaged if is_damaged else cut_off, mend="Copy the video again.",
    )  # fmt: skip


def _rates(recording: str, views: Mapping[str, PackedView]) -> Alert | None:
    rates = {name: packed.clock.fps for name, packed in views.items() if packed.clock.fps}
    if not rates or max(rates.values()) <= (1 + SAME_RATE) * min(rates.values()):
        return None
    return Alert(
        kind="different_rates", severity="note", subject=recording,
        message="the videos have different frame rates; joints are interpolated to the moments of the slowest",
        evidence=", ".join(f"{name} {rate:.4g} fps" for name, rate in rates.items()),
    )  # fmt: skip
