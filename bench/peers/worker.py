"""Runs aniposelib's and Pose2Sim's own routines, in their own environment: worker.py TASK IN.npz OUT.npz.

IN holds captures of pinhole cameras stacked: px (C, F, V, J, 2), confidence (C, F, V, J), K, R, t (C, V, ...) in mm,
noise_px (C,) and repeats. OUT holds the points of each capture and the median CPU time of one round over all captures.
This script imports nothing from the project.
"""

import sys
import time

import cv2
import numpy as np

# The 16 bones of the project's skeleton, which aniposelib may hold constant: parent of each joint but the first.
PARENTS = [0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15]
BONES = [[parent, joint] for joint, parent in enumerate(PARENTS, 1)]


def camera_group(capture):
    """aniposelib's cameras; in metres, as its linear method is most accurate with coordinates of about 1."""
    from aniposelib.cameras import Camera, CameraGroup

    cameras = []
    for v, (K, R, t) in enumerate(zip(capture["K"], capture["R"], capture["t"], strict=True)):
        cameras.append(
            Camera(matrix=K, dist=np.zeros(5), rvec=cv2.Rodrigues(R)[0], tvec=t / 1000, name=str(v), size=(1000, 1000))
        )
    return CameraGroup(cameras)


def by_camera(array):
    """(F, V, ...) to (V, F, ...)."""
    return np.ascontiguousarray(np.swapaxes(array, 0, 1))


def anipose_linear(capture):
    group, px, K = camera_group(capture), by_camera(capture["px"]), capture["K"]
    # With undistortion off, aniposelib triangulates normalised image points.
    points_norm = (px - K[:, None, None, :2, 2]) / np.stack([K[:, 0, 0], K[:, 1, 1]], -1)[:, None, None]
    points_norm = points_norm.reshape(len(points_norm), -1, 2)
    return lambda: group.triangulate(points_norm, undistort=False)


def anipose_ransac(capture):
    group, px = camera_group(capture), by_camera(capture["px"])
    return lambda: group.triangulate_ransac(px.reshape(len(px), -1, 2))[0]


def anipose_optim(capture):
    """Bone lengths held constant; no smoothing over time, as the frames do not follow each other."""
    group, px, scores = camera_group(capture), by_camera(capture["px"]), by_camera(capture["confidence"])
    return lambda: group.triangulate_optim(px, constraints=BONES, scale_smooth=0, scores=scores)


def by_point(capture, call):
    """Pose2Sim's routines take one point at a time, from projection matrices (in metres) and lists of coordinates."""
    P = [K @ np.column_stack([R, t / 1000]) for K, R, t in zip(capture["K"], capture["R"], capture["t"], strict=True)]
    px, confidence = np.swapaxes(capture["px"], 1, 2), np.swapaxes(capture["confidence"], 1, 2)
    x, y, c = (np.ascontiguousarray(a).reshape(-1, len(P)) for a in (px[..., 0], px[..., 1], confidence))
    return lambda: np.array([call(P, *seen) for seen in zip(x, y, c, strict=True)])


def pose2sim_weighted(capture):
    from Pose2Sim.common import weighted_triangulation

    return by_point(capture, lambda P, x, y, c: weighted_triangulation(P, x, y, c)[:3])


def pose2sim_best(capture):
    """The search for the best cameras; it accepts a mean reprojection error of three standard deviations."""
    from Pose2Sim.triangulation import triangulation_from_best_cameras

    threshold = 3.0 * float(capture["noise_px"])
    config = {"triangulation": {"reproj_error_threshold_triangulation": threshold, "min_cameras_for_triangulation": 2}}
    no_swaps = [np.full(len(capture["K"]), np.nan)] * 3
    return by_point(
        capture, lambda P, x, y, c: triangulation_from_best_cameras(config, [x, y, c], no_swaps, P, None)[0]
    )


def labels(task):
    """The points of a task, (F, J, 3) in mm."""

    def prepare(capture):
        F, _, J, _ = capture["px"].shape
        call = task(capture)
        return lambda: 1000 * np.asarray(call()).reshape(F, J, 3)

    return prepare


TASKS = {
    "anipose_linear": labels(anipose_linear),
    "anipose_ransac": labels(anipose_ransac),
    "anipose_optim": labels(anipose_optim),
    "pose2sim_weighted": labels(pose2sim_weighted),
    "pose2sim_best": labels(pose2sim_best),
}


def main(task, source, target):
    with np.load(source) as file:
        data = dict(file)
    repeats = int(data.pop("repeats"))
    captures = [{name: array[i] for name, array in data.items()} for i in range(len(data["px"]))]
    calls = [TASKS[task](capture) for capture in captures]
    made = [call() for call in calls] if repeats > 1 else []  # to warm up
    times = []
    for _ in range(repeats):
        start = time.process_time()
        made = [call() for call in calls]
        times.append(time.process_time() - start)
    np.savez(target, made=np.stack(made), cpu_s=np.median(times))


if __name__ == "__main__":
    main(*sys.argv[1:])
