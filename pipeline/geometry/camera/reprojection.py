"""Reprojection errors, and the covariance of 3D points from the standard deviations of image points."""

import numpy as np
from jaxtyping import Float

from pipeline.geometry.array_layout import as_captured, as_floats, rig_of_each, stretched
from pipeline.geometry.camera import reprojection_kernels
from pipeline.shapes import check_shapes


@check_shapes(no_inf=("R", "t"))
def residuals(
    points: Float[np.ndarray, "*#batch point 3"],
    points_norm: Float[np.ndarray, "*batch point view 2"],
    R: Float[np.ndarray, "*#batch view 3 3"],
    t: Float[np.ndarray, "*#batch view 3"],
) -> tuple[Float[np.ndarray, "*batch point view"], Float[np.ndarray, "*batch point view"]]:
    """Distances of normalised image points from the projections of world points, and the points' depths.

    Distances are in normalised units, depths in the unit of the points. NaN where a view has no image point or no
    extrinsics. The distance is infinite where the point lies behind the camera. Raises ValueError for shapes that do
    not fit and for an infinite rig.
    """
    x = as_captured(points_norm, axis=-3)
    distance, depth = np.empty(x.shape[:-1]), np.empty(x.shape[:-1])
    flat = as_floats(stretched(points, (*points_norm.shape[:-2], 3))).reshape(len(x), x.shape[2], 3)
    reprojection_kernels.residuals(flat, x, *rig_of_each(R, t, points_norm.shape[:-3]), distance, depth)
    distance, depth = (np.swapaxes(a, -2, -1).reshape(points_norm.shape[:-1]) for a in (distance, depth))
    return distance, depth


@check_shapes(no_inf=("R", "t"))
def covariance(
    points: Float[np.ndarray, "*#batch point 3"],
    sigma: Float[np.ndarray, "*batch point view"],
    R: Float[np.ndarray, "*#batch view 3 3"],
    t: Float[np.ndarray, "*#batch view 3"],
) -> Float[np.ndarray, "*batch point 3 3"]:
    """Covariances of world points from the views with a finite sigma, in the points' unit squared.

    `sigma` is the standard deviation of a coordinate of each image point, in normalised units. Infinite where the views
    do not determine the point. Raises ValueError for shapes that do not fit and for an infinite rig.
    """
    s = as_captured(sigma, axis=-2)
    found = np.empty((len(s), s.shape[2], 3, 3))
    flat = as_floats(stretched(points, (*sigma.shape[:-1], 3))).reshape(len(s), s.shape[2], 3)
    reprojection_kernels.covariance(flat, s, *rig_of_each(R, t, sigma.shape[:-2]), found)
    return found.reshape(*sigma.shape[:-1], 3, 3)
