"""Clocks of cameras: from the time stamps of a video's frames to their numbers, rate and gaps."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

# A frame's number on the clock changes by a jump of the time stamps of at least this share of a frame's duration, so
# that jitter is not taken for dropped frames.
JUMP = 0.75
PASSES = 3
# A clock is regular if this share of the time stamps is this close, in frames, to whole numbers of frames.
MOST, JITTER = 0.95, 0.3
ROUNDING = 1e-3  # relative, of rates by rounded time stamps


@dataclass(frozen=True)
class Clock:
    """The frames of a video on the clock of its camera."""

    numbers: np.ndarray  # (F,) of each frame, from 0, with gaps where frames were dropped
    fps: float  # frames per second of the clock; 0: unknown
    times_s: np.ndarray = field(default_factory=lambda: np.zeros(0))  # (F,) time stamps; empty: none is usable
    is_regular: bool = True  # whether the time stamps are whole numbers of frames apart, but for jitter

    @property
    def n_frames(self) -> int:
        """Duration in frames of the clock."""
        return int(self.numbers[-1]) + 1 if len(self.numbers) else 0

    def index_at(self, time_s: float | None) -> int | None:
        """The index of the frame with a time stamp; None without usable ones."""
        if time_s is None or not len(self.times_s):
            return None
        after = int(np.clip(np.searchsorted(self.times_s, time_s), 1, max(len(self.times_s) - 1, 1)))
        pair = [i for i in (after - 1, after) if i < len(self.times_s)]
        return min(pair, key=lambda i: abs(float(self.times_s[i]) - time_s))


@dataclass(frozen=True)
class DroppedFrames:
    """Frames that a video lacks: `missing` of them just before its frame `number`."""

    number: int
    missing: int


def clock_of(times_s: Sequence[float] | np.ndarray, fps: float = 0.0) -> Clock:
    """The clock of a camera, from the time stamps (F,) in s of its frames.

    `fps` is the rate that the file states, 0 if none; it is taken if the time stamps agree but for their rounding. Time
    stamps that do not increase are ignored: the frames are taken to be without gaps, at the stated rate.
    """
    times, plain = np.asarray(times_s, float), np.arange(len(times_s))
    steps = np.diff(times)
    if len(steps) < 2 or not (np.isfinite(steps).all() and (steps > 0).all()):
        return Clock(plain, fps)
    numbers, duration = plain, float(steps.sum() / np.round(steps / np.median(steps)).sum())
    # The duration of a frame depends on the gaps, and the gaps on the duration.
    for _ in range(PASSES):
        numbers = plain + _steps((times - times[0]) / duration - plain)
        duration = float(np.polyfit(numbers, times, 1)[0])
    deviation = (times - times[0]) / duration - numbers
    is_regular = bool((np.abs(deviation - np.median(deviation)) <= JITTER).mean() >= MOST)
    found = float(numbers[-1] / (times[-1] - times[0]))
    return Clock(numbers, fps if abs(fps / found - 1) <= ROUNDING else found, times, is_regular)


def _steps(ahead: np.ndarray) -> np.ndarray:
    """Whole numbers (F,) that follow values with jitter."""
    steps, step = np.empty(len(ahead), int), 0
    for i, value in enumerate(ahead):
        if abs(value - step) >= JUMP:
            step = round(value)
        steps[i] = step
    return steps


def dropped_frames(numbers: np.ndarray) -> list[DroppedFrames]:
    """The gaps in the numbers of a video's frames on its clock."""
    gaps = np.diff(numbers) - 1
    return [DroppedFrames(int(i) + 1, int(gaps[i])) for i in np.flatnonzero(gaps > 0)]
