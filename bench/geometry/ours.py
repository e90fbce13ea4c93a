"""The project's methods with the interface of the benchmarks: captures in, joints and rigs out."""

from pathlib import Path

import numpy as np

from bench.geometry.simulation import Capture
from pipeline.geometry.align import rig_error
from pipeline.geometry.calibration.focal_prior import EXACT, Focal
from pipeline.geometry.calibration.rig import Rig, RigNotFound, find_rig
from pipeline.geometry.calibration.single_frame.rig_per_frame import find_rigs
from pipeline.geometry.camera import reprojection
from pipeline.geometry.triangulation import bone_lengths as bones
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.params.file import read_params

SEED = 3
# The tolerance of bone lengths in params.yaml.
BONE_TOLERANCE = read_params(Path(__file__).parents[2] / "params.yaml").triangulate.bone_tolerance


def linear(capture: Capture, rig: Rig | None = None) -> np.ndarray:
    """Points (F, J, 3) by the weighted linear method, with the true rig unless another is given."""
    return triangulation.linear(capture.points_norm, capture.sigma, *_extrinsics(capture, rig))


def robust(capture: Capture, rig: Rig | None = None) -> np.ndarray:
    """Points (F, J, 3) by robust maximum likelihood."""
    points_norm, sigma = capture.points_norm, capture.sigma
    if rig is not None and (rig.focal_scale != 1).any():
        points_norm, sigma = points_norm / rig.focal_scale[:, None], sigma / rig.focal_scale
    return triangulation.robust(points_norm, sigma, *_extrinsics(capture, rig))


def pairwise_median(capture: Capture, rig: Rig | None = None) -> np.ndarray:
    """Points (F, J, 3) by the paper's method, the median over pairs of views."""
    return triangulation.pairwise_median(capture.points_norm, capture.sigma, *_extrinsics(capture, rig))


def robust_bones(capture: Capture, rig: Rig | None = None) -> np.ndarray:
    """Points (F, J, 3) by robust maximum likelihood with the person's bone lengths, estimated from the same frames."""
    return refined(capture, robust(capture, rig), rig)


def without_extrinsics(capture: Capture) -> np.ndarray:
    """As `robust_bones`, with the rig found from the people, in the rig's unit and world; all NaN without a rig."""
    try:
        rig = self_calibrated(capture)
    except RigNotFound:
        return np.full_like(capture.joints_world_mm, np.nan)
    return robust_bones(capture, rig)


def refined(capture: Capture, points: np.ndarray, rig: Rig | None = None) -> np.ndarray:
    """Points (F, J, 3) adjusted to the median bone lengths of the same points."""
    R, t = _extrinsics(capture, rig)
    limit = triangulation.ROBUST_WIDTH * capture.sigma
    distance, _ = reprojection.residuals(points, capture.points_norm, R, t)
    agreeing = np.where(distance <= limit, capture.sigma, np.inf)
    covariance = reprojection.covariance(points, agreeing, R, t)[..., *np.triu_indices(3)]
    lengths = bones.own_lengths(points, np.where(np.isfinite(covariance), covariance, np.nan))
    tolerance = BONE_TOLERANCE * float(np.nanmean(lengths))
    return bones.fit_bone_lengths(points, capture.points_norm, capture.sigma, R[None], t[None], lengths, tolerance)[0]


def self_calibrated(capture: Capture, focal: Focal = EXACT) -> Rig:
    """The rig found from the people only, with an arbitrary unit and world frame. Raises RigNotFound."""
    return find_rig(capture.points_norm, capture.sigma, seed=SEED, focal=focal)


def frame_by_frame(capture: Capture) -> np.ndarray:
    """Points (F, J, 3), each frame with a rig found from this frame only, in the rig's unit; NaN without a rig."""
    points = np.full_like(capture.joints_world_mm, np.nan)
    for f, rig in enumerate(find_rigs(capture.points_norm, capture.sigma, seed=SEED)):
        if isinstance(rig, Rig):
            points[f] = triangulation.robust(capture.points_norm[f], capture.sigma[f], rig.R, rig.t)
    return points


def rig_errors(capture: Capture, R: np.ndarray, t: np.ndarray) -> tuple[float, float]:
    """Mean error of a rig's rotations in degrees and of its centres in mm, similarity-aligned."""
    return rig_error(R, -np.einsum("vji,vj->vi", R, t), capture.R, capture.centers)


def _extrinsics(capture: Capture, rig: Rig | None) -> tuple[np.ndarray, np.ndarray]:
    return (capture.R, capture.t) if rig is None else (rig.R, rig.t)
