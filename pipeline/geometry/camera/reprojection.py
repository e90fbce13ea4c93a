"""Distances of image points from projected points, and the covariance that image points give a 3D point."""

import numpy as np

from pipeline.geometry.array_layout import as_captured, as_floats, rig_of_each, stretched
from pipeline.geometry.camera import reprojection_kernels


def residuals(
    points: np.ndarray, points_norm: np.ndarray, R: np.ndarray, t: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Distance of each ray from the projected point, in normalised units, and the point's depth, both (..., N, V).

    NaN where the view has no ray or no pose; the distance is infinite where the point lies behind the camera.
    """
    x = as_captured(points_norm, axis=-3)
    distance, depth = np.empty(x.shape[:-1]), np.empty(x.shape[:-1])
    flat = as_floats(stretched(points, (*points_norm.shape[:-2], 3))).reshape(len(x), x.shape[2], 3)
    reprojection_kernels.residuals(flat, x, *rig_of_each(R, t, points_norm.shape[:-3]), distance, depth)
    distance, depth = (np.swapaxes(a, -2, -1).reshape(points_norm.shape[:-1]) for a in (distance, depth))
    return distance, depth


def covariance(points: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Covariance (..., N, 3, 3) of points from the views with a finite sigma (..., N, V), in the points' unit squared.

    Infinite where the views do not determine the point.
    """
    s = as_captured(sigma, axis=-2)
    found = np.empty((len(s), s.shape[2], 3, 3))
    flat = as_floats(stretched(points, (*sigma.shape[:-1], 3))).reshape(len(s), s.shape[2], 3)
    reprojection_kernels.covariance(flat, s, *rig_of_each(R, t, sigma.shape[:-2]), found)
    return found.reshape(*sigma.shape[:-1], 3, 3)
