"""Joints at other times than those at which they are known."""

import numpy as np
from jaxtyping import Float

from pipeline.shapes import check_shapes

SAME_S = 1e-4  # times that differ by less are the same
END_S = 2e-3  # the first and the last row hold this long beyond, as clocks are rounded


@check_shapes(no_inf=("joints", "times_s", "at_s"))
def resample(
    joints: Float[np.ndarray, "row joint 3"],
    times_s: Float[np.ndarray, " row"],
    at_s: Float[np.ndarray, " frame"],
    max_gap_s: float,
) -> Float[np.ndarray, "frame joint 3"]:
    """Joints at the times `at_s`, by cubic interpolation of their rows at increasing times; NaN for missing joints.

    A joint is interpolated between two rows that have it and are at most `max_gap_s` apart. The result is exactly a
    row where that row is of the same time, and NaN before the first row and after the last one. Raises ValueError
    for shapes that do not fit and infinite values. Cubic Hermite splines with the slopes of parabolas.
    """
    found = np.full((len(at_s), joints.shape[1], 3), np.nan)
    for j in range(joints.shape[1]):
        known = np.isfinite(joints[:, j]).all(-1)
        if known.any():
            found[:, j] = _resampled(joints[known, j], times_s[known], at_s, max_gap_s)
    return found


def _resampled(points: np.ndarray, times_s: np.ndarray, at_s: np.ndarray, max_gap_s: float) -> np.ndarray:
    """Points (frame, 3) from rows (row, 3) without missing ones."""
    n = len(points)
    after = np.clip(np.searchsorted(times_s, at_s), 1, max(n - 1, 1))
    before, after = after - 1, np.minimum(after, n - 1)
    step = times_s[after] - times_s[before]
    part = (at_s - times_s[before]) / np.where(step > 0, step, 1.0)
    change = points[after] - points[before]
    slopes = [_slope(points, times_s, row, max_gap_s, change / np.where(step > 0, step, 1.0)[:, None]) * step[:, None]
              for row in (before, after)]  # fmt: skip
    u = part[:, None]
    cubic = points[before] + u * slopes[0] + u**2 * (3 * change - 2 * slopes[0] - slopes[1])
    cubic += u**3 * (slopes[0] + slopes[1] - 2 * change)
    inside = (step > 0) & (step <= max_gap_s + SAME_S) & (part >= 0) & (part <= 1)
    result = np.where(inside[:, None], cubic, np.nan)
    for row in (before, after):
        is_end = ((row == 0) & (at_s < times_s[0])) | ((row == n - 1) & (at_s > times_s[-1]))
        same = np.abs(at_s - times_s[row]) <= np.where(is_end, END_S, SAME_S)
        result[same] = points[row[same]]
    return result


def _slope(
    points: np.ndarray, times_s: np.ndarray, rows: np.ndarray, max_gap_s: float, otherwise: np.ndarray
) -> np.ndarray:
    """The velocity (frame, 3) at rows, that of a parabola through them and their two neighbours.

    It is `otherwise` where a neighbour is missing or too far.
    """
    left, right = np.maximum(rows - 1, 0), np.minimum(rows + 1, len(points) - 1)
    steps = np.stack([times_s[rows] - times_s[left], times_s[right] - times_s[rows]])
    has_both = (steps.min(0) > 0) & (steps.max(0) <= max_gap_s + SAME_S)
    since, until = np.where(has_both, steps, 1.0)[..., None]
    before, after = (points[rows] - points[left]) / since, (points[right] - points[rows]) / until
    return np.where(has_both[:, None], (until * before + since * after) / (since + until), otherwise)
