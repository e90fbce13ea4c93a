"""Smoothing of joints over time; missing joints stay missing and have no weight."""

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d

from pipeline.shapes import check_shapes

# Frames further away than this many standard deviations have no weight.
WIDEST = 4.0


def smoothing_radius(std_frames: float) -> int:
    """The number of frames before and after a frame that `smooth` averages, for a standard deviation in frames."""
    return int(WIDEST * std_frames + 0.5)


@check_shapes(no_inf=("joints",))
def smooth(joints: Float[np.ndarray, "frame joint 3"], std_frames: float) -> Float[np.ndarray, "frame joint 3"]:
    """Average joints over time by a Gaussian with a standard deviation in frames.

    Raises ValueError for another shape and for infinite joints.
    """
    known = np.isfinite(joints).all(-1, keepdims=True)
    total, weight = (
        gaussian_filter1d(values, std_frames, axis=0, mode="constant", truncate=WIDEST)
        for values in (np.where(known, joints, 0.0), known.astype(float))
    )
    return np.where(known, total / np.where(known, weight, 1.0), np.nan)
