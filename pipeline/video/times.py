"""Times of the frames of videos: dropped frames by the container's time stamps, and frames of common moments."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# A frame's number on the clock changes by a jump of the time stamps of at least this share of a frame's duration, so
# that jitter is not taken for dropped frames.
JUMP = 0.75
PASSES = 3
# A frame shows a moment if it is at most this many seconds, or one frame, from it.
SAME_MOMENT_S = 0.02


@dataclass(frozen=True)
class DroppedFrames:
    """Frames that a video lacks: `missing` of them just before its frame `number`."""

    number: int
    missing: int


def clock_numbers(times_ms: Sequence[float]) -> np.ndarray:
    """The number (F,) of each frame on the camera's clock, from its time stamps in ms; 0, 1, 2, ... without gaps.

    Time stamps that do not increase are ignored: the frames are taken to be without gaps.
    """
    times, plain = np.asarray(times_ms, float), np.arange(len(times_ms))
    steps = np.diff(times)
    if len(steps) < 2 or not (np.isfinite(steps).all() and (steps > 0).all()):
        return plain
    numbers, duration = plain, float(steps.sum() / np.round(steps / np.median(steps)).sum())
    # The duration of a frame depends on the gaps, and the gaps on the duration.
    for _ in range(PASSES):
        numbers = plain + _steps((times - times[0]) / duration - plain)
        duration = float(np.polyfit(numbers, times, 1)[0])
    return numbers


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


def rows_of_common_moments(
    numbers: Sequence[np.ndarray], every_n_frames: int, fps: float
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The moments that all views show, as numbers on the clock, and the row of each view's frame of each moment.

    `numbers` (F,) are those of the frames that were kept of each view, every n-th of its video.
    """
    tolerance = min(round(SAME_MOMENT_S * fps), every_n_frames // 2)
    moments = np.arange(0, min(int(own[-1]) for own in numbers) + 1, every_n_frames)
    rows = [_nearest(own, moments) for own in numbers]
    shown = np.all(
        [np.abs(own[row] - moments) <= tolerance for own, row in zip(numbers, rows, strict=True)], axis=0
    )  # fmt: skip
    return moments[shown], [row[shown] for row in rows]


def _nearest(numbers: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """The row of the number nearest to each moment."""
    after = np.clip(np.searchsorted(numbers, moments), 1, max(len(numbers) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(numbers) - 1)
    return np.where(np.abs(numbers[before] - moments) <= np.abs(numbers[after] - moments), before, after)
