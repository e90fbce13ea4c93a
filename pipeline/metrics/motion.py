"""Errors of velocity and acceleration, from the times of the frames.

The units are mm/s and mm/s², so that errors do not depend on the frame rate. Papers often give millimetres per frame:
at r frames per second divide the velocity by r and the acceleration by r².
"""

import numpy as np
from jaxtyping import Float, Real

from pipeline.metrics import kernels
from pipeline.metrics.poses import flat
from pipeline.shapes import check_shapes


@check_shapes()
def velocity_errors(
    predicted_mm: Float[np.ndarray, "frame joint=17 3"],
    true_mm: Float[np.ndarray, "frame joint=17 3"],
    times_s: Real[np.ndarray, " frame"],
) -> Float[np.ndarray, "frame joint=17"]:
    """Error of each joint's velocity from a frame to the next in mm/s; the last frame's is missing.

    Poses are root-centred, as in Pavllo et al., 3D Human Pose Estimation in Video, CVPR 2019 (MPJVE). If a frame
    or its neighbour lacks a joint, the error is missing. Raises ValueError if the times do not increase or shapes
    do not fit.
    """
    errors = np.empty(predicted_mm.shape[:-1])
    kernels.velocity_errors(flat(predicted_mm), flat(true_mm), _seconds(times_s), errors)
    return errors


@check_shapes()
def acceleration_errors(
    predicted_mm: Float[np.ndarray, "frame joint=17 3"],
    true_mm: Float[np.ndarray, "frame joint=17 3"],
    times_s: Real[np.ndarray, " frame"],
) -> Float[np.ndarray, "frame joint=17"]:
    """Error of each joint's acceleration over three frames in mm/s²; missing for the last two.

    The second difference of root-centred poses, as in Kanazawa et al., Learning 3D Human Dynamics from Video, CVPR
    2019, for any spacing of the frames. Raises ValueError if the times do not increase or shapes do not fit.
    """
    errors = np.empty(predicted_mm.shape[:-1])
    kernels.acceleration_errors(flat(predicted_mm), flat(true_mm), _seconds(times_s), errors)
    return errors


def _seconds(times_s: Real[np.ndarray, " frame"]) -> Float[np.ndarray, " step"]:
    """Seconds from each frame to the next."""
    seconds = np.diff(np.asarray(times_s, float))
    if not (seconds > 0).all():
        raise ValueError("The times of the frames must increase.")
    return seconds
