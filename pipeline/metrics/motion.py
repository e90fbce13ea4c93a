"""Whether a pose moves as the truth does: errors of velocity and acceleration, by the times of the frames.

In mm/s and mm/s², so that they do not depend on the frame rate. Papers often give millimetres per frame: at r frames
per second divide the velocity by r and the acceleration by r².
"""

import numpy as np

from pipeline.metrics.poses import lengths, root_centred


def velocity_errors(predicted_mm: np.ndarray, true_mm: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Error of each joint's velocity from a frame to the next, (frame, joint), mm/s; the last frame's is missing.

    Poses are root-centred, as in Pavllo et al., 3D Human Pose Estimation in Video, CVPR 2019 (MPJVE). Where a frame
    or its neighbour lacks a joint the error is missing. Raises ValueError if the times do not increase.
    """
    velocity, _ = _velocities(predicted_mm, true_mm, times_s)
    return _padded(lengths(velocity), len(times_s))


def acceleration_errors(predicted_mm: np.ndarray, true_mm: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Error of each joint's acceleration over three frames, (frame, joint), mm/s²; missing for the last two.

    The second difference of root-centred poses, as in Kanazawa et al., Learning 3D Human Dynamics from Video, CVPR
    2019, for any spacing of the frames. Raises ValueError if the times do not increase.
    """
    velocity, seconds = _velocities(predicted_mm, true_mm, times_s)
    between = (seconds[1:] + seconds[:-1]) / 2
    return _padded(lengths(np.diff(velocity, axis=0) / between[:, None, None]), len(times_s))


def _velocities(predicted_mm: np.ndarray, true_mm: np.ndarray, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Velocity of the difference of the two poses (frame - 1, joint, 3), and the seconds between frames."""
    seconds = np.diff(times_s)
    if (seconds <= 0).any() or not len(times_s) == len(predicted_mm) == len(true_mm):
        what = f"{len(predicted_mm)} predicted and {len(true_mm)} true poses at {len(times_s)} times"
        raise ValueError(f"{what}: there must be as many of each, and the times must increase.")
    apart = root_centred(predicted_mm) - root_centred(true_mm)
    return np.diff(apart, axis=0) / seconds[:, None, None], seconds


def _padded(values: np.ndarray, n: int) -> np.ndarray:
    """The values (frame, joint) with missing rows after them, n in all."""
    return np.concatenate([values, np.full((n - len(values), *values.shape[1:]), np.nan)])
