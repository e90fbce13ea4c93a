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

from pipeline.geometry.triangulation.linear_kernel import linear_kernel
from pipeline.geometry.triangulation.point_blocks import solve
from pipeline.geometry.triangulation.robust_kernel import robust_kernel
from pipeline.geometry.triangulation.robust_search_kernel import MOST_PAIRS
from pipeline.geometry.triangulation.two_view_kernel import pairwise_median_kernel

# Beyond about this many standard deviations of the surest view a view loses its say (Geman-McClure).
ROBUST_WIDTH = 6.0


def robust(points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Points (..., N, 3) with the least Geman-McClure cost over all views; NaN where no two views saw the point.

    Where the views do not agree on the point of the linear method, the start is the best of the points from pairs of
    views, so that outliers in fewer than half of the views do no harm; Newton steps on the robust cost follow. Above
    nine views not all pairs are tried, but an even spread.
    """
    every = list(combinations(range(points_norm.shape[-2]), 2))
    spread = np.linspace(0, len(every) - 1, min(len(every), MOST_PAIRS)).round().astype(int)
    pairwise_median = np.array([every[i] for i in np.unique(spread)], np.int64).reshape(-1, 2)
    return solve(robust_kernel, points_norm, sigma, R, t, pairwise_median, ROBUST_WIDTH)


def linear(points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Points (..., N, 3) by the linear method over all views, weighted by 1 / sigma; NaN where fewer than two saw it.

    The equations are weighted a second time by 1 / depth, which makes their errors image errors.
    """
    return solve(linear_kernel, points_norm, sigma, R, t)


def pairwise_median(points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Points (..., N, 3): the geometric median of the optimal points of consecutive pairs (EpipolarPose, section 3.2).

    The optimal point of two views has the least sum of squared distances from both rays (Hartley and Sturm, 1997); of
    two views in all, that is the result. NaN where no consecutive views saw the point.
    """
    return solve(pairwise_median_kernel, points_norm, sigma, R, t)
