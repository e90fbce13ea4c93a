"""Whether a pose moves as the truth does: errors of velocity and acceleration, by the times of the frames.

In mm/s and mm/s², so that they do not depend on the frame rate. Papers often give millimetres per frame: at r frames
per second divide the velocity by r and the acceleration by r².
"""

import numpy as np

from pipeline.metrics import kernels
from pipeline.metrics.poses import flat


def velocity_errors(predicted_mm: np.ndarray, true_mm: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Error of each joint's velocity from a frame to the next, (frame, joint), mm/s; the last frame's is missing.

    Poses are root-centred, as in Pavllo et al., 3D Human Pose Estimation in Video, CVPR 2019 (MPJVE). Where a frame
    or its neighbour lacks a joint the error is missing. Raises ValueError if the times do not increase.
    """
    errors = np.empty(predicted_mm.shape[:-1])
    kernels.velocity_errors(flat(predicted_mm), flat(true_mm), _seconds(predicted_mm, true_mm, times_s), errors)
    return errors


def acceleration_errors(predicted_mm: np.ndarray, true_mm: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Error of each joint's acceleration over three frames, (frame, joint), mm/s²; missing for the last two.

    The second difference of root-centred poses, as in Kanazawa et al., Learning 3D Human Dynamics from Video, CVPR
    2019, for any spacing of the frames. Raises ValueError if the times do not increase.
    """
    errors = np.empty(predicted_mm.shape[:-1])
    kernels.acceleration_errors(flat(predicted_mm), flat(true_mm), _seconds(predicted_mm, true_mm, times_s), errors)
    return errors


def _seconds(predicted_mm: np.ndarray, true_mm: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Seconds from each frame to the next, (frame - 1,)."""
    seconds = np.diff(np.asarray(times_s, float))
    if (seconds <= 0).any() or not len(times_s) == len(predicted_mm) == len(true_mm):
        what = f"{len(predicted_mm)} predicted and {len(true_mm)} true poses at {len(times_s)} times"
        raise ValueError(f"{what}: there must be as many of each, and the times must increase.")
    return seconds
