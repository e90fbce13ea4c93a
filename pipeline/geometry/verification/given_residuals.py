"""How well extrinsics that were given fit the detections, measured on views that are left out."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pipeline.geometry.camera import reprojection
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.shapes import check_shapes

# Medians in standard deviations: of the length of a normal 2-vector, and of the distance of two views' image points
# from the projections of their common point, which takes up all but one of their four coordinates.
MEDIAN_LEFT_OUT, MEDIAN_OF_TWO_VIEWS = 1.1774, 0.4769
BEHIND = 50.0  # the value for a point that lies behind the camera, in standard deviations


@dataclass(frozen=True)
class ViewNoise:
    """Noise of each view's image points against the other views, as a multiple of sigma; NaN without such points.

    1 is expected of image points with the standard deviation sigma. The median tells how far the view can be trusted.
    The lower quartile over the frames is low, even if other people are seen in many frames, where the extrinsics fit.
    """

    median: Float[np.ndarray, " view"]
    lower_quartile: Float[np.ndarray, " view"]


@check_shapes(no_inf=("points_norm", "R", "t"))
def left_out_noise(
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    R: Float[np.ndarray, "view 3 3"],
    t: Float[np.ndarray, "view 3"],
) -> ViewNoise:
    """Compare the image points of each view with the joints that the other views triangulate.

    Distances are divided by the standard deviation that sigma gives them, the uncertainty of the joint included. Where
    only two views have extrinsics, their image points are compared with the joints of both. Raises ValueError for
    shapes that do not fit and for infinite image points or extrinsics.
    """
    posed = np.isfinite(t).all(-1)
    if posed.sum() < 3:
        distance, _ = reprojection.residuals(triangulation.robust(points_norm, sigma, R, t), points_norm, R, t)
        there = np.isfinite(sigma) & ~np.isnan(distance)
        ratio = np.where(there, np.minimum(distance / np.where(there, sigma, 1.0), BEHIND), np.nan)
        return _summary(ratio / MEDIAN_OF_TWO_VIEWS)
    ratio = np.full(sigma.shape, np.nan)
    for v in np.flatnonzero(posed):
        others = np.where(np.arange(len(t)) == v, np.inf, sigma)
        ratio[..., v] = _standardised(points_norm, sigma, others, R, t, int(v))
    return _summary(ratio / MEDIAN_LEFT_OUT)


def _standardised(
    points_norm: np.ndarray, sigma: np.ndarray, others: np.ndarray, R: np.ndarray, t: np.ndarray, v: int
) -> Float[np.ndarray, "frame joint"]:
    """Distances of a view's image points from the joints of the other views, in standard deviations."""
    joints = triangulation.robust(points_norm, others, R, t)
    covariance = reprojection.covariance(joints, others, R, t)
    in_camera = joints @ R[v].T + t[v]
    depth = np.where(in_camera[..., 2] > 0, in_camera[..., 2], np.nan)
    D = np.zeros((*depth.shape, 2, 3))
    D[..., 0, 0] = D[..., 1, 1] = 1 / depth
    D[..., 2] = -in_camera[..., :2] / depth[..., None] ** 2
    J = D @ R[v]
    # Views whose rays are parallel do not determine the joint, so that nothing contradicts them.
    of_joint = np.einsum("fnij,fnjk,fnik->fn", J, np.where(np.isfinite(covariance), covariance, 0.0), J) / 2
    known = np.isfinite(sigma[..., v]) & np.isfinite(joints).all(-1) & np.isfinite(covariance).all((-2, -1))
    error = np.linalg.norm(points_norm[..., v, :] - in_camera[..., :2] / depth[..., None], axis=-1)
    ratio = error / np.sqrt(of_joint + np.where(known, sigma[..., v], 1.0) ** 2)
    ratio = np.where(np.isfinite(depth), np.minimum(ratio, BEHIND), BEHIND)
    return np.where(known, ratio, np.nan)


def _summary(ratio: Float[np.ndarray, "frame joint view"]) -> ViewNoise:
    n_views = ratio.shape[2]
    median, lower = np.full(n_views, np.nan), np.full(n_views, np.nan)
    for v in range(n_views):
        frames = [np.median(frame[np.isfinite(frame)]) for frame in ratio[..., v] if np.isfinite(frame).any()]
        if frames:
            median[v] = np.median(ratio[..., v][np.isfinite(ratio[..., v])])
            lower[v] = np.percentile(frames, 25)
    return ViewNoise(median, lower)
