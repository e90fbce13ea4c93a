"""Smooths joints over time; missing ones stay missing and take no part."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

# Frames further away than this many standard deviations have no say.
WIDEST = 4.0


def smoothing_radius(frames: float) -> int:
    """How many frames before and after a frame `smooth` looks at, for a standard deviation of so many frames."""
    return int(WIDEST * frames + 0.5)


def smooth(joints: np.ndarray, frames: float) -> np.ndarray:
    """Joints (F, J, 3) averaged over time by a Gaussian with a standard deviation of so many frames."""
    known = np.isfinite(joints).all(-1, keepdims=True)
    total, weight = (
        gaussian_filter1d(values, frames, axis=0, mode="constant", truncate=WIDEST)
        for values in (np.where(known, joints, 0.0), known.astype(float))
    )
    return np.where(known, total / np.where(known, weight, 1.0), np.nan)
