"""pycolmap: LO-RANSAC estimators and Ceres' bundle adjustment."""

import numpy as np
import pycolmap

from bench.geometry.simulation import Capture

# Inliers lie within this many standard deviations of the noise.
INLIER_SIGMAS = 4.0


def robust(capture: Capture) -> np.ndarray:
    """Points (F, J, 3) by LO-RANSAC, point by point, on the reprojection error; NaN where it finds none."""
    poses = [_rigid(R, t) for R, t in zip(capture.R, capture.t, strict=True)]
    cameras = [_camera(K, camera.size_px) for K, camera in zip(capture.K, capture.cameras, strict=True)]
    options = pycolmap.EstimateTriangulationOptions()
    options.residual_type = pycolmap.TriangulationResidualType.REPROJECTION_ERROR
    options.ransac.max_error = INLIER_SIGMAS * capture.noise_px
    options.ransac.random_seed = 0
    px = np.ascontiguousarray(np.swapaxes(capture.px, 1, 2)).reshape(-1, len(cameras), 2)
    points = np.full((len(px), 3), np.nan)
    for i, seen in enumerate(px):
        found = pycolmap.estimate_triangulation(seen, poses, cameras, options)
        if found is not None:
            points[i] = found["xyz"]
    return points.reshape(capture.joints_world_mm.shape)


def _rigid(R: np.ndarray, t: np.ndarray) -> pycolmap.Rigid3d:
    return pycolmap.Rigid3d(pycolmap.Rotation3d(R), t)


def _camera(K: np.ndarray, size_px: tuple[int, int]) -> pycolmap.Camera:
    # COLMAP's pixels start at the corner of the first one, not at its centre; the shift is the same on both sides.
    params = [K[0, 0], K[1, 1], K[0, 2], K[1, 2]]
    return pycolmap.Camera(model="PINHOLE", width=size_px[0], height=size_px[1], params=params)
