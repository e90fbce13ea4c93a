"""Triangulation of many points seen by a rig: robust maximum likelihood, weighted linear, and the paper's pairs.

All methods take undistorted normalised image points (..., N, V, 2) of N points in V views, and `sigma` (..., N, V), the
expected standard deviation of each coordinate in the same unit, infinite where a view did not see the point. An image
point that is NaN, or whose view has no extrinsics (NaN), counts as not seen. Rotations (..., V, 3, 3) and translations
(..., V, 3) map from the world to each camera: one rig for all, or one for each of the leading dimensions. The points
are in the world and in the unit of the translations. ValueError is raised for shapes that do not fit each other and for
infinite image points, rotations or translations.

Arrays with the memory layout of a capture, (frame, view, joint), are used as they are; others are copied first.
Distances between image points and projections are computed in double precision; weights, and steps towards the
solution, in single precision.
"""

from itertools import combinations

import numpy as np
from jaxtyping import Float

from pipeline.geometry.triangulation.linear_kernel import linear_kernel
from pipeline.geometry.triangulation.point_blocks import solve
from pipeline.geometry.triangulation.robust_kernel import robust_kernel
from pipeline.geometry.triangulation.robust_search_kernel import MAX_PAIRS
from pipeline.geometry.triangulation.two_view_kernel import pairwise_median_kernel
from pipeline.shapes import check_shapes

# Scale of the Geman-McClure kernel, in standard deviations of the view with the smallest sigma.
ROBUST_WIDTH = 6.0
_checked = check_shapes(no_inf=("points_norm", "R", "t"))


@_checked
def robust(
    points_norm: Float[np.ndarray, "*batch point view 2"],
    sigma: Float[np.ndarray, "*#batch point view"],
    R: Float[np.ndarray, "*#batch view 3 3"],
    t: Float[np.ndarray, "*#batch view 3"],
) -> Float[np.ndarray, "*batch point 3"]:
    """Triangulate points with the least Geman-McClure cost over all views; NaN if fewer than two views saw a point.

    The start is the point of the linear method. If the views do not agree on it, the start is the best of the points
    from pairs of views, so that outliers in fewer than half of the views have no effect. Newton steps on the robust
    cost follow. With more than nine views, only 36 pairs, spread evenly over all pairs, are tried.
    """
    every = list(combinations(range(points_norm.shape[-2]), 2))
    spread = np.linspace(0, len(every) - 1, min(len(every), MAX_PAIRS)).round().astype(int)
    pairs = np.array([every[i] for i in np.unique(spread)], np.int64).reshape(-1, 2)
    return solve(robust_kernel, points_norm, sigma, R, t, pairs, ROBUST_WIDTH)


@_checked
def linear(
    points_norm: Float[np.ndarray, "*batch point view 2"],
    sigma: Float[np.ndarray, "*#batch point view"],
    R: Float[np.ndarray, "*#batch view 3 3"],
    t: Float[np.ndarray, "*#batch view 3"],
) -> Float[np.ndarray, "*batch point 3"]:
    """Triangulate points by the linear method over all views, weighted by 1 / sigma; NaN if fewer than two saw it.

    The equations are weighted a second time by 1 / depth, which makes their errors image errors. Hartley and Zisserman,
    Multiple View Geometry, section 12.2.
    """
    return solve(linear_kernel, points_norm, sigma, R, t)


@_checked
def pairwise_median(
    points_norm: Float[np.ndarray, "*batch point view 2"],
    sigma: Float[np.ndarray, "*#batch point view"],
    R: Float[np.ndarray, "*#batch view 3 3"],
    t: Float[np.ndarray, "*#batch view 3"],
) -> Float[np.ndarray, "*batch point 3"]:
    """Triangulate points as the geometric median of the optimal points of consecutive pairs of views.

    The optimal point of two views minimises the squared distances from both image points (Hartley and Sturm,
    Triangulation, 1997). NaN if no two consecutive views saw the point. Triangulation is section 3.1 of Kocabas et al.,
    EpipolarPose, CVPR 2019.
    """
    return solve(pairwise_median_kernel, points_norm, sigma, R, t)
