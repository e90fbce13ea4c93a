"""The moments of a recording: common times at which all views are observed, whatever their rates and gaps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.video.frame_times import SAME_S, interpolation
from pipeline.video.times import Clock

# Rates that differ by less than this share are the same, as files round them: the cameras count the same frames.
SAME_RATE = 0.01


@dataclass(frozen=True)
class Moments:
    """The moments that are kept of a recording."""

    numbers: np.ndarray  # (F,) of each moment on the recording's clock
    fps: float  # of that clock
    rows: list[np.ndarray]  # (F,) of each view: the row of its frame, -1 where it has none
    times_s: list[np.ndarray]  # (F,) of each view: when that frame was taken, NaN where it has none

    @property
    def are_exact(self) -> bool:
        """Whether every view has a frame at every moment."""
        expected = self.numbers / self.fps
        return all(bool((np.abs(own - expected) <= SAME_S).all()) for own in self.times_s)


def common_rate(clocks: Sequence[Clock], fps: float) -> float:
    """Frames per second of the slowest clock; `fps` for clocks without a rate."""
    return min(_rates(clocks, fps))


def times_of_frames(clocks: Sequence[Clock], fps: float) -> list[np.ndarray]:
    """The times (F,) in s of the frames of each view, from its first one on; `fps` for clocks without a rate.

    Regular clocks of the same rate count the same frames. If a clock is irregular, all time stamps are taken as they
    are.
    """
    as_stamped = not all(clock.is_regular for clock in clocks)
    return [
        clock.times_s - clock.times_s[0] if as_stamped and len(clock.times_s) else clock.numbers / rate
        for clock, rate in zip(clocks, _rates(clocks, fps), strict=True)
    ]


def _rates(clocks: Sequence[Clock], fps: float) -> list[float]:
    rates = np.array([clock.fps or fps for clock in clocks])
    return [float(np.median(rates[np.abs(rates / rate - 1) <= SAME_RATE])) for rate in rates]


def find_moments(
    times_s: Sequence[np.ndarray], fps: float, every_n: int, *, n_numbers: int, counted: Sequence[bool]
) -> Moments:
    """Every n-th moment of a clock of `fps` that at least two of the counted views show, up to `n_numbers`.

    `times_s` (F,) are those of the kept frames of each view on one time scale. The clock starts when all views do.
    """
    start, step = max(float(own[0]) for own in times_s), every_n / fps
    numbers = np.arange(0, n_numbers, every_n)
    rows, times = [], []
    for own in times_s:
        row = _nearest(own - start, numbers / fps)
        is_own = np.abs(own[row] - start - numbers / fps) < step / 2
        rows.append(np.where(is_own, row, -1))
        times.append(np.where(is_own, own[row] - start, np.nan))
    shown = [np.isfinite(interpolation(own, numbers / fps)[2]) for own in times]
    kept = np.sum([own for own, counts in zip(shown, counted, strict=True) if counts], axis=0) >= 2
    return Moments(numbers[kept], fps, [row[kept] for row in rows], [own[kept] for own in times])


def _nearest(times: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """The row of the time nearest to each moment."""
    after = np.clip(np.searchsorted(times, moments), 1, max(len(times) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(times) - 1)
    return np.where(np.abs(times[before] - moments) <= np.abs(times[after] - moments), before, after)
