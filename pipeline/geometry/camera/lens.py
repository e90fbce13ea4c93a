"""Parameters of lens models as the kernels take them: OpenCV's rational model with its extensions, and its fisheye.

The rational model has OpenCV's coefficients k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4, tx, ty: radial (the last
three in the denominator), tangential, thin prism, and the tilt of the sensor, a homography that is combined with the
camera matrix. The fisheye model is Kannala and Brandt's with four coefficients of the angle from the optical axis.
"""

import numpy as np
from jaxtyping import Float

N_COEFFICIENTS = 12  # of the rational model without the tilt


def sensor(K: Float[np.ndarray, "3 3"], dist: Float[np.ndarray, " coefficient"]) -> Float[np.ndarray, "3 3"]:
    """The homography from distorted normalised points to pixels: the camera matrix and, if there is one, the tilt."""
    if len(dist) < 14:
        return K
    (cx, sx), (cy, sy) = ((np.cos(angle), np.sin(angle)) for angle in dist[12:14])
    tilt = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]]) @ np.array([[1, 0, 0], [0, cx, sx], [0, -sx, cx]])
    onto = np.array([[tilt[2, 2], 0, -tilt[0, 2]], [0, tilt[2, 2], -tilt[1, 2]], [0, 0, 1]])
    return np.asarray(K @ onto @ tilt)


def coefficients(dist: Float[np.ndarray, " coefficient"]) -> Float[np.ndarray, "12"]:
    """All coefficients except the tilt; missing ones are 0."""
    full = np.zeros(N_COEFFICIENTS)
    n = min(len(dist), N_COEFFICIENTS)
    full[:n] = dist[:n]
    return full
