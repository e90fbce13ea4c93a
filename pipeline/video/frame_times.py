"""Times of the frames of each view beside the moments of a recording, and how detections are brought to these moments.

Arrays of times (F,) have an entry for each moment: the time in s at which the view's frame was taken, NaN where the
view has none.
"""

from pathlib import Path

import numpy as np

# A person's joints are interpolated between two frames where an acceleration of 10 m/s2 bends the path by at most
# 12 mm, that is, half of it times the product of the times to both frames. At 30 frames per second, two frames may be
# missing.
MAX_BEND_S2 = 0.0025
# Before the first frame and after the last one, a frame stands for moments this close: 12 mm at 1.5 m/s.
MAX_SHIFT_S = 0.008
# Times that differ by less than this are the same.
SAME_S = 1e-4


def interpolation(times_s: np.ndarray, moments_s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each moment (F,) the rows of a view's frames before and after it, and the weight of the latter.

    The weight is NaN where the view does not show the moment: its frames around it are too far from it.
    """
    known = np.flatnonzero(np.isfinite(times_s))
    if not len(known):
        return np.zeros(len(moments_s), int), np.zeros(len(moments_s), int), np.full(len(moments_s), np.nan)
    times = times_s[known]
    after = np.clip(np.searchsorted(times, moments_s - SAME_S), 0, len(known) - 1)
    before = np.maximum(after - 1, 0)
    is_same = np.abs(times[after] - moments_s) <= SAME_S
    since, until = moments_s - times[before], times[after] - moments_s
    is_between = (since > 0) & (until > 0) & (since * until <= MAX_BEND_S2)
    is_near = ~is_between & (np.minimum(np.abs(since), np.abs(until)) <= MAX_SHIFT_S)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(is_between, since / (since + until), np.nan)
    weight = np.where(is_near, np.abs(until) <= np.abs(since), weight)
    return known[before], known[after], np.where(is_same, 1.0, weight)


def write_times(path: Path, times_s: np.ndarray) -> None:
    """Write the times (F,) of a view's frames."""
    np.save(path, np.asarray(times_s, float))


def read_times(path: Path | str) -> np.ndarray:
    """Read the times (F,) of a view's frames."""
    return np.asarray(np.load(path), float)
