"""Adjustment of a static rig from a start: cameras, joints, the landmarks' weights, residuals and uncertainty."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from pipeline.geometry.calibration import bundle
from pipeline.geometry.calibration.calibrated_rig import Rig, root_of_trace
from pipeline.geometry.calibration.essential import epipolar_error
from pipeline.geometry.calibration.focal_prior import Focal
from pipeline.geometry.calibration.initial_rig import InitialRig
from pipeline.geometry.calibration.landmark_noise import landmark_noise
from pipeline.geometry.camera import reprojection
from pipeline.geometry.triangulation import methods as triangulation

# A joint within this many expected standard deviations of its projection is an inlier. A usable detector leaves 0.8 of
# them in the median, whatever the noise of the rig at hand is.
INLIER_SIGMAS = 3.0
# The number of blocks of time that are left out one by one to estimate the uncertainty.
BLOCKS = 4


def adjust_rig(
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    start: InitialRig,
    widths: Sequence[float],
    *,
    focal: Focal,
    pose: Int[np.ndarray, " frame"],
    noise: float | None = None,
) -> Rig:
    """Adjust a rig from a start and estimate its uncertainty; the world frame stays that of the start.

    Unless the noise is given, landmarks are weighted by their own noise in each view, and the last of the widths is
    repeated with these weights. `pose` numbers the poses: frames with similar poses have the same number. The noise is
    estimated unless given.
    """
    F, J, n_views = sigma.shape
    views = start.has_extrinsics
    x, s = points_norm.reshape(-1, n_views, 2)[:, views], sigma.reshape(-1, n_views)[:, views]
    expected = s
    R, t = start.R[views], start.t[views]
    f = start.focal_scale[views]
    points = triangulation.robust(x / f[:, None], s / f, R, t)
    groups = [np.repeat(pose, J), np.tile(np.arange(J), F)]
    adjusted = bundle.adjust(x, s, R, t, points, widths, focal=focal, focal_scale=f, groups=groups, noise=noise)
    left = bundle.uncertainty(adjusted, x, s, groups, _cells(F, J))
    if widths and noise is None:
        share = landmark_noise((_distance(adjusted, x, s) / s).reshape(F, J, -1))
        if (share != 1).any():
            s = (s.reshape(F, J, -1) * share).reshape(s.shape)
            adjusted = bundle.adjust(
                x, s, adjusted.R, adjusted.t, adjusted.points, widths[-1:],
                focal=focal, focal_scale=adjusted.focal_scale, groups=groups,
            )  # fmt: skip
            # The weights follow the same residuals as the rig, so that it looks more certain than it is.
            left = max(left, bundle.uncertainty(adjusted, x, s, groups, _cells(F, J)), key=_rotation_variance)
    own, distance, f = _blocks(left.pose_covariance), _distance(adjusted, x, s), adjusted.focal_scale
    seen = np.isfinite(distance)
    inlier = seen & (distance <= INLIER_SIGMAS * expected)
    return Rig(
        R=_over_all(adjusted.R, views), t=_over_all(adjusted.t, views),
        focal_scale=np.where(views, _over_all(f, views), f.mean()), focal_std=_over_all(left.focal_std, views),
        rotation_std_deg=_over_all(np.degrees(root_of_trace(own[:, :3, :3])), views),
        center_covariance=_over_all(own[:, 3:, 3:], views),
        pose_covariance=_pairs_over_all(left.image_covariance, views),
        residual=_over_all(_medians(np.where(inlier, distance, np.nan)), views),
        landmark_residual=_over_all(_medians(distance.reshape(F, J, -1)).T, views).T,
        inlier_share=_over_all(inlier.sum(0) / np.maximum(seen.sum(0), 1), views),
        noise=adjusted.noise, epipolar_start=start.epipolar,
        epipolar=epipolar_error(x / f[:, None], s, adjusted.R, adjusted.t) * float(f.mean()),
        parallax_deg=_parallax(adjusted.points, adjusted.R, adjusted.t), n_frames=F, n_poses=len(np.unique(pose)),
    )  # fmt: skip


def _rotation_variance(uncertainty: bundle.Uncertainty) -> float:
    """The sum of the variances of all rotations."""
    return float(_blocks(uncertainty.pose_covariance)[:, range(3), range(3)].sum())


def _distance(adjusted: bundle.AdjustedRig, points_norm: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Distance (N, V) of the image points from the projected points, in the unit of the former; NaN: not seen."""
    f = adjusted.focal_scale
    distance, _ = reprojection.residuals(adjusted.points, points_norm / f[:, None], adjusted.R, adjusted.t)
    return np.where(np.isfinite(sigma), f * distance, np.nan)


def _medians(values: np.ndarray) -> np.ndarray:
    """The medians over the first dimension of the values that are not NaN; NaN if there are none."""
    n = np.isfinite(values).sum(0)
    ordered = np.sort(values, axis=0)  # NaN last
    low, high = (np.take_along_axis(ordered, k[None], 0)[0] for k in (np.maximum(n - 1, 0) // 2, n // 2 * (n > 0)))
    return np.where(n > 0, (low + high) / 2, np.nan)


def _over_all(values: np.ndarray, views: np.ndarray) -> np.ndarray:
    full = np.full((len(views), *values.shape[1:]), np.nan)
    full[views] = values
    return full


def _cells(n_frames: int, n_landmarks: int) -> Int[np.ndarray, "point 2"] | None:
    """The landmark and the block of time of each point (frame by frame); None if the frames are too few for blocks."""
    if n_frames < 2 * BLOCKS:
        return None
    block = np.arange(n_frames) * BLOCKS // n_frames
    return np.stack([np.tile(np.arange(n_landmarks), n_frames), np.repeat(block, n_landmarks)], -1)


def _blocks(pose_covariance: np.ndarray) -> np.ndarray:
    """The covariance (V, 6, 6) of each view's own pose."""
    V = len(pose_covariance) // 6
    return np.einsum("vivj->vij", pose_covariance.reshape(V, 6, V, 6))


def _pairs_over_all(pose_covariance: np.ndarray, views: np.ndarray) -> np.ndarray:
    unknowns = np.repeat(views, 6)
    full = np.full((len(unknowns), len(unknowns)), np.nan)
    full[np.ix_(unknowns, unknowns)] = pose_covariance
    return full


def _parallax(points: np.ndarray, R: np.ndarray, t: np.ndarray) -> float:
    """The largest angle in degrees between the viewing rays of two cameras to the median of the points."""
    there = np.isfinite(points).all(-1)
    if not there.any():
        return float("nan")
    middle = np.median(points[there], axis=0)
    to_camera = -np.einsum("vji,vj->vi", R, t) - middle
    to_camera /= np.linalg.norm(to_camera, axis=-1, keepdims=True)
    sine = np.linalg.norm(np.cross(to_camera[:, None], to_camera[None]), axis=-1)
    return float(np.degrees(np.arcsin(np.clip(sine.max(), 0, 1))))
