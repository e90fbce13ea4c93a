"""Lags at which the image speeds of two views are alike: starts of the search for the lag of a pair.

How fast a joint moves in the image depends on the view, when it moves does not. (Speeds in place of positions need no
epipolar geometry; the idea is common in the synchronisation of videos.)
"""

import numpy as np
from scipy.signal import fftconvolve

from pipeline.geometry.verification.pair_lag import Tracks

# Speeds above this many times the median count as so many: a detector that fails leaps.
MAX_SPEED = 6.0
# Lags are not compared over fewer common frames than this share of those with speeds.
MIN_OVERLAP = 0.25


def likely_lags(first: Tracks, second: Tracks, most: int, apart: int, n: int) -> list[int]:
    """The n lags of at most `most` frames with the most correlated speeds, each at least `apart` frames from others."""
    correlation = speed_correlation(first, second, most)
    lags: list[int] = []
    for i in np.argsort(-correlation):
        lag = int(i) - most
        if len(lags) == n or not np.isfinite(correlation[i]):
            break
        if all(abs(lag - other) >= apart for other in lags):
            lags.append(lag)
    return lags


def speed_correlation(first: Tracks, second: Tracks, most: int) -> np.ndarray:
    """The correlation (2 most + 1,) of the joints' speeds for lags of -most to most frames; NaN for too few frames."""
    total, weight = np.zeros((3, 2 * most + 1)), np.zeros(2 * most + 1)
    for window in np.unique(first.window):
        rows = first.window == window
        a, b = _speeds(first)[rows], _speeds(second)[rows]
        known_a, known_b = np.isfinite(a), np.isfinite(b)
        a, b = np.nan_to_num(a), np.nan_to_num(b)
        total += [_lagged(a, b, most), _lagged(a**2, known_b, most), _lagged(known_a, b**2, most)]
        weight += _lagged(known_a, known_b, most)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = total[0] / np.sqrt(total[1] * total[2])
    return np.where(weight > MIN_OVERLAP * weight.max(initial=1.0), correlation, np.nan)


def _speeds(track: Tracks) -> np.ndarray:
    """The speed (F, J) of each joint against its own median, compressed, with mean zero."""
    speed = np.linalg.norm(track.velocity, axis=-1)
    result = np.full_like(speed, np.nan)
    for j in np.flatnonzero(np.isfinite(speed).any(0)):
        usual = float(np.nanmedian(speed[:, j]))
        if usual > 0:
            relative = np.sqrt(np.minimum(speed[:, j] / usual, MAX_SPEED))
            result[:, j] = relative - np.nanmean(relative)
    return result


def _lagged(a: np.ndarray, b: np.ndarray, most: int) -> np.ndarray:
    """The sums over frames and joints of a[f] b[f + lag] for lags of -most to most."""
    product = fftconvolve(b.astype(float), a[::-1].astype(float), axes=0).sum(1)
    zero = len(a) - 1
    padded = np.zeros(2 * most + 1)
    low, high = max(zero - most, 0), min(zero + most + 1, len(product))
    padded[low - zero + most : high - zero + most] = product[low:high]
    return padded
