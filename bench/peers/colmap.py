"""pycolmap: LO-RANSAC estimators and Ceres' bundle adjustment."""

import time

import numpy as np
import pycolmap

from bench.geometry.simulation import Capture
from bench.peers.opencv import Pose

# The inlier thresholds of points and of epipolar lines, in standard deviations of the noise.
INLIER_SIGMAS, EPIPOLAR_SIGMAS = 4.0, 2.0


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


def five_point(first: np.ndarray, second: np.ndarray, K: np.ndarray, noise_px: float) -> Pose | None:
    """The second camera's pose from matched pixels (N, 2), by LO-RANSAC."""
    options = pycolmap.RANSACOptions()
    options.max_error, options.random_seed = EPIPOLAR_SIGMAS * noise_px, 0
    cameras = [_camera(k, (1000, 1000)) for k in K]
    found = pycolmap.estimate_essential_matrix(first, second, *cameras, options)
    if found is None:
        return None
    pose = found["cam2_from_cam1"]
    return (pose.rotation.matrix(), pose.translation) if np.linalg.norm(pose.translation) > 0 else None


def _rigid(R: np.ndarray, t: np.ndarray) -> pycolmap.Rigid3d:
    return pycolmap.Rigid3d(pycolmap.Rotation3d(R), t)


def _camera(K: np.ndarray, size_px: tuple[int, int]) -> pycolmap.Camera:
    # COLMAP's pixels start at the corner of the first one, not at its centre; the shift is the same on both sides.
    params = [K[0, 0], K[1, 1], K[0, 2], K[1, 2]]
    return pycolmap.Camera(model="PINHOLE", width=size_px[0], height=size_px[1], params=params)


def adjust(capture: Capture, R: np.ndarray, t: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Cameras and points (N, 3) adjusted by Ceres from a start: R (V, 3, 3), t (V, 3), and the CPU time of the solver.

    The Cauchy loss has the width of one standard deviation.
    """
    world = _reconstruction(capture, R, t, points)
    config = pycolmap.BundleAdjustmentConfig()
    for image in world.images:
        config.add_image(image)
    config.fix_gauge(pycolmap.BundleAdjustmentGauge.TWO_CAMS_FROM_WORLD)
    options = pycolmap.BundleAdjustmentOptions()
    options.refine_focal_length = options.refine_extra_params = options.print_summary = False
    options.ceres.loss_function_type = pycolmap.LossFunctionType.CAUCHY
    options.ceres.loss_function_scale = capture.noise_px
    options.ceres.solver_options.num_threads = 1
    options.ceres.solver_options.function_tolerance = 1e-6  # Ceres' default; COLMAP's default disables it
    adjuster = pycolmap.create_default_bundle_adjuster(options, config, world)
    start = time.process_time()
    adjuster.solve()
    seconds = time.process_time() - start
    poses = [world.images[v + 1].cam_from_world() for v in range(len(R))]
    return np.stack([p.rotation.matrix() for p in poses]), np.stack([p.translation for p in poses]), seconds


def _reconstruction(capture: Capture, R: np.ndarray, t: np.ndarray, points: np.ndarray) -> pycolmap.Reconstruction:
    world = pycolmap.Reconstruction()
    px = np.swapaxes(capture.px, 0, 1).reshape(len(R), -1, 2)
    for v, camera in enumerate(capture.cameras):
        lens = _camera(camera.K, camera.size_px)
        lens.camera_id = v + 1
        world.add_camera_with_trivial_rig(lens)
        image = pycolmap.Image(name=str(v), keypoints=px[v], camera_id=v + 1, image_id=v + 1)
        world.add_image_with_trivial_frame(image, _rigid(R[v], t[v]))
    for i, point in enumerate(points):
        track = pycolmap.Track([pycolmap.TrackElement(v + 1, i) for v in range(len(R))])
        world.add_point3D(point, track)
    return world
