"""Parameters of lens models as the kernels take them: OpenCV's rational model with its extensions, and its fisheye.

The rational model has OpenCV's coefficients k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4, tx, ty: radial (the last
three in the denominator), tangential, thin prism, and the tilt of the sensor, which is a homography and goes with the
camera matrix. The fisheye model is Kannala and Brandt's with four coefficients of the angle from the optical axis.
"""

import numpy as np

N_COEFFICIENTS = 12  # of the rational model without the tilt


def sensor(K: np.ndarray, dist: np.ndarray) -> np.ndarray:
    """The homography (3, 3) from distorted normalised coordinates to pixels: the camera matrix, and the tilt if any."""
    if len(dist) < 14:
        return K
    (cx, sx), (cy, sy) = ((np.cos(angle), np.sin(angle)) for angle in dist[12:14])
    tilt = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]]) @ np.array([[1, 0, 0], [0, cx, sx], [0, -sx, cx]])
    onto = np.array([[tilt[2, 2], 0, -tilt[0, 2]], [0, tilt[2, 2], -tilt[1, 2]], [0, 0, 1]])
    return K @ onto @ tilt


def coefficients(dist: np.ndarray) -> np.ndarray:
    """All coefficients but the tilt (12,), those that are not given 0."""
    full = np.zeros(N_COEFFICIENTS)
    n = min(len(dist), N_COEFFICIENTS)
    full[:n] = dist[:n]
    return full
