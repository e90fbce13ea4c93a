"""Triangulation of many points seen by a rig: robust maximum likelihood, weighted linear, and the paper's pairs.

Rays are undistorted normalised image coordinates (..., N, V, 2) of N points in V views; `sigma` (..., N, V) is the
standard deviation expected of each, in the same unit, infinite where a view did not see the point. A ray that is NaN,
or whose view has no pose (NaN), is not seen either. Rotations are (..., V, 3, 3) and translations (..., V, 3), from
the world to each camera: one rig for all, or one for each of the leading dimensions.

Arrays are worked on as they lie in a capture, (frames, views, joints); others are copied first. How far rays miss a
point is computed in double precision; weights, and what only leads towards the point, in single precision.
"""

from itertools import combinations

import numpy as np

from pipeline.geometry.blocks import solve
from pipeline.geometry.linear import linear_kernel
from pipeline.geometry.robust import MOST_PAIRS, robust_kernel
from pipeline.geometry.two_view import pairs_kernel

# Beyond about this many standard deviations of the surest view a view loses its say (Geman-McClure).
ROBUST_WIDTH = 6.0


def robust(rays: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Points (..., N, 3) with the least Geman-McClure cost over all views; NaN where no two views saw the point.

    Where the views do not agree on the point of the linear method, the start is the best of the points from pairs of
    views, so that outliers in fewer than half of the views do no harm; Newton steps on the robust cost follow. Above
    nine views not all pairs are tried, but an even spread.
    """
    every = list(combinations(range(rays.shape[-2]), 2))
    spread = np.linspace(0, len(every) - 1, min(len(every), MOST_PAIRS)).round().astype(int)
    pairs = np.array([every[i] for i in np.unique(spread)], np.int64).reshape(-1, 2)
    return solve(robust_kernel, rays, sigma, R, t, pairs, ROBUST_WIDTH)


def linear(rays: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Points (..., N, 3) by the linear method over all views, weighted by 1 / sigma; NaN where fewer than two saw it.

    The equations are weighted a second time by 1 / depth, which makes their errors image errors.
    """
    return solve(linear_kernel, rays, sigma, R, t)


def pairs(rays: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Points (..., N, 3): the geometric median of the optimal points of consecutive pairs (EpipolarPose, section 3.2).

    The optimal point of two views has the least sum of squared distances from both rays (Hartley and Sturm, 1997); of
    two views in all, that is the result. NaN where no consecutive views saw the point.
    """
    return solve(pairs_kernel, rays, sigma, R, t)


def residuals(points: np.ndarray, rays: np.ndarray, R: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance of each ray from the projected point, in normalised units, and the point's depth, both (..., N, V).

    NaN where the view has no ray or no pose; the distance is infinite where the point lies behind the camera.
    """
    in_camera = np.einsum("...vij,...nj->...nvi", R, points) + t[..., None, :, :]
    depth = in_camera[..., 2]
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = np.linalg.norm(in_camera[..., :2] / depth[..., None] - rays, axis=-1)
    return np.where(depth <= 0, np.inf, distance), depth


def covariance(points: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Covariance (..., N, 3, 3) of points from the views with a finite sigma (..., N, V), in the points' unit squared.

    Infinite where the views do not determine the point.
    """
    in_camera = np.einsum("...vij,...nj->...nvi", R, points) + t[..., None, :, :]
    z = in_camera[..., 2:]
    with np.errstate(invalid="ignore", divide="ignore"):
        projected = in_camera[..., :2] / z
        J = (R[..., None, :, :2, :] - projected[..., None] * R[..., None, :, 2:, :]) / (z * sigma[..., None])[..., None]
    J = np.where(np.isfinite(J), J, 0.0)
    information = np.einsum("...nvki,...nvkj->...nij", J, J)
    size = np.trace(information, axis1=-2, axis2=-1)[..., None, None]
    good = np.linalg.det(information / np.where(size > 0, size, 1.0)) > 1e-12
    inverse = np.linalg.inv(np.where(good[..., None, None], information, np.eye(3)))
    return np.where(good[..., None, None], inverse, np.inf)
