"""How well extrinsics that were given fit the detections, measured on views that are left out."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float

from pipeline.geometry.camera import reprojection
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.shapes import check_shapes

# Medians in standard deviations: of the length of a normal 2-vector, and of the distance of two views' image points
# from the projections of their common point, which takes up all but one of their four coordinates.
MEDIAN_LEFT_OUT, MEDIAN_OF_TWO_VIEWS = 1.1774, 0.4769
BEHIND = 50.0  # the value for a point that lies behind the camera, in standard deviations


# Frames of a group of views count by this percentile of their noise: the extrinsics are right if they fit in the frames
# in which the views see the same person. Two views fit by chance more easily.
PERCENTILE, PERCENTILE_OF_TWO = 10, 25
# A group of views with less noise is consistent. Right extrinsics have 0.4 to 1.5 on real footage, cameras that are
# turned by 5 degrees or exchanged 2 and more.
MAX_NOISE = 2.0
# Of more views than this some groups of three fit by chance, and the others see the same person in most frames anyway.
MAX_VIEWS_FOR_TRIPLES = 4


@dataclass(frozen=True)
class Consistency:
    """Whether the extrinsics of each view are consistent with those of others."""

    noise: Float[np.ndarray, " view"]  # in the best group of views, as a multiple of sigma; NaN if nothing was compared
    consistent: Bool[np.ndarray, " view"]

    @property
    def worst(self) -> float:
        """The largest noise of a view; infinite if nothing was compared."""
        return float(np.nanmax(self.noise)) if np.isfinite(self.noise).any() else float("inf")


@check_shapes(no_inf=("points_norm", "R", "t"))
def consistent_views(
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    R: Float[np.ndarray, "view 3 3"],
    t: Float[np.ndarray, "view 3"],
) -> Consistency:
    """Find the views whose extrinsics fit the same people, even if other people are seen in most frames.

    Up to four views: the image points of each of three views are compared with the joints that the two others
    triangulate. The views of groups of three that fit are consistent. More views: the image points of each view are
    compared with the joints of all others, and the view without which the others fit best is taken out until the others
    fit. Two views are compared with each other. Raises ValueError for shapes that do not fit and for infinite image
    points or extrinsics.
    """
    posed = np.flatnonzero(np.isfinite(t).all(-1) & np.isfinite(sigma).any((0, 1))).tolist()
    if len(posed) > MAX_VIEWS_FOR_TRIPLES:
        return _by_removal(points_norm, sigma, R, t, posed)
    noise, consistent = np.full(len(t), np.nan), np.zeros(len(t), bool)
    for group in combinations(posed, min(len(posed), 3)) if len(posed) > 1 else ():
        views = list(group)
        ratio = _left_out_ratio(points_norm[:, :, views], sigma[:, :, views], R[views], t[views])
        of_group = _best_frames(ratio, PERCENTILE if len(views) > 2 else PERCENTILE_OF_TWO).max()
        noise[views] = np.fmin(noise[views], of_group)
        consistent[views] |= of_group <= MAX_NOISE
    return Consistency(noise, consistent)


def _by_removal(
    points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray, posed: list[int]
) -> Consistency:
    """Take out views, one at a time, until the others fit; none is consistent if fewer than three remain."""

    def noise_of(views: list[int]) -> Float[np.ndarray, " view"]:
        found = np.full(len(t), np.nan)
        found[views] = _best_frames(
            _left_out_ratio(points_norm[:, :, views], sigma[:, :, views], R[views], t[views]), PERCENTILE
        )
        return found

    left, noise = list(posed), noise_of(posed)
    while len(left) > 2 and np.nanmax(noise[left]) > MAX_NOISE:
        without = {v: noise_of([other for other in left if other != v]) for v in left}
        worst = min(without, key=lambda v: float(np.nanmax(without[v])))
        left.remove(worst)
        noise = np.where(np.isin(np.arange(len(t)), left), without[worst], noise)
    consistent = np.isin(np.arange(len(t)), left) if len(left) > 2 else np.zeros(len(t), bool)
    return Consistency(noise, consistent)


def _best_frames(ratio: Float[np.ndarray, "frame joint view"], percentile: float) -> Float[np.ndarray, " view"]:
    """Noise of each view: a percentile over the frames of the median over the joints; infinite if nothing is seen.

    Of three views or fewer, a frame counts with its worst view, and only if all views see somebody.
    """
    of_frame = np.full((len(ratio), ratio.shape[2]), np.nan)
    for f, v in zip(*np.nonzero(np.isfinite(ratio).any(1)), strict=True):
        of_frame[f, v] = np.median(ratio[f, :, v][np.isfinite(ratio[f, :, v])])
    if ratio.shape[2] <= 3:
        of_frame[:] = of_frame.max(1, keepdims=True)
    known = [frames[np.isfinite(frames)] for frames in of_frame.T]
    return np.array([float(np.percentile(one, percentile)) if len(one) else np.inf for one in known])


@check_shapes(no_inf=("points_norm", "R", "t"))
def left_out_noise(
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    R: Float[np.ndarray, "view 3 3"],
    t: Float[np.ndarray, "view 3"],
) -> Float[np.ndarray, " view"]:
    """Noise of each view's image points against the joints of the other views: a median, as a multiple of sigma.

    1 is expected of image points with the standard deviation sigma; NaN for a view without such points. Distances are
    divided by the standard deviation that sigma gives them, the uncertainty of the joint included. Where only two views
    have extrinsics, their image points are compared with the joints of both. Raises ValueError for shapes that do not
    fit and for infinite image points or extrinsics.
    """
    ratio = _left_out_ratio(points_norm, sigma, R, t)
    known = [view[np.isfinite(view)] for view in np.moveaxis(ratio, -1, 0)]
    return np.array([float(np.median(values)) if len(values) else np.nan for values in known])


def _left_out_ratio(
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    R: Float[np.ndarray, "view 3 3"],
    t: Float[np.ndarray, "view 3"],
) -> Float[np.ndarray, "frame joint view"]:
    """Distances of image points from the joints of the other views, over the median that sigma lets expect."""
    posed = np.isfinite(t).all(-1)
    if posed.sum() < 3:
        distance, _ = reprojection.residuals(triangulation.robust(points_norm, sigma, R, t), points_norm, R, t)
        there = np.isfinite(sigma) & ~np.isnan(distance)
        ratio = np.where(there, np.minimum(distance / np.where(there, sigma, 1.0), BEHIND), np.nan)
        return np.asarray(ratio / MEDIAN_OF_TWO_VIEWS)
    ratio = np.full(sigma.shape, np.nan)
    for v in np.flatnonzero(posed):
        others = np.where(np.arange(len(t)) == v, np.inf, sigma)
        ratio[..., v] = _standardised(points_norm, sigma, others, R, t, int(v))
    return np.asarray(ratio / MEDIAN_LEFT_OUT)


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
