"""A capture of detections, written as the stages before would have: the geometry tests' people and cameras."""

import numpy as np

from pipeline.capture import Capture, Recording, View
from pipeline.geometry.camera.model import Camera, project
from pipeline.params.calibrate import BaselineParams, CalibrateParams
from pipeline.params.triangulate import TriangulateParams
from pipeline.stores import POSES2D, create_store, reopen
from tests.geometry.scene import SIZE_PX, K, people, ring
from tests.records import POSES2D_SUMMARY, poses2d_record

DIST = np.array([-0.2, 0.1, 0.001, 0.0, 0.0])
CALIBRATE = CalibrateParams(
    mode="rig",
    window_frames=20,
    focal="exact",
    min_confidence=0.3,
    ignore_distortion=False,
    scale="bones",
    baseline=BaselineParams(cameras=["c0", "c2"], mm=5000.0),
    gravity="people",
    seed=3,
)
TRIANGULATE = TriangulateParams(
    method="robust",
    min_confidence=0.1,
    min_views=2,
    max_reprojection=0.1,
    fix_left_right=True,
    bone_tolerance=0.04,
    smoothing_s=0.0,
)


def write_capture(folder, n_recordings=2, n_frames=25, noise_px=1.0, n_views=4, landmarks=False, **changes):
    """Write manifest.json and poses2d.zarr; returns the true joints (F, J, 3) of each recording by name.

    Landmarks, if wanted, are exact: the joints and points near them.
    """
    R, t = ring(n_views)
    truth = {f"r{i}": people(n_frames, seed=i) for i in range(n_recordings)}
    recordings = []
    folder.mkdir(exist_ok=True)
    with create_store(folder / "poses2d.zarr", POSES2D, POSES2D_SUMMARY) as store:
        for name, joints in truth.items():
            cameras = [Camera(K, DIST, SIZE_PX, R[v], t[v]) for v in range(n_views)]
            views = [View.of(f"c{v}", "none", camera) for v, camera in enumerate(cameras)]
            fields = dict(
                name=name, subject=name, action="walk", split="train", rig="A", fps=25, n_frames=n_frames, views=views
            )  # fmt: skip
            recordings.append(Recording(**(fields | changes)))
            px = np.stack([project(camera.to_camera(joints), K, DIST) for camera in cameras], 1)
            marks = np.concatenate([joints, joints + np.array([60.0, -40, 50])], 1)[:, : None if landmarks else 0]
            marks_px = np.stack([project(camera.to_camera(marks), K, DIST) for camera in cameras], 1)
            px = px + np.random.default_rng(7).normal(size=px.shape) * noise_px
            box = np.concatenate([px.min(2), px.max(2)], -1)
            sizes = {"frame": n_frames, "view": n_views, "landmark": marks.shape[1]}
            group = store.create(name, sizes, poses2d_record(name)).person(0)
            group.write(0, {
                "joints_px": px, "confidence": np.ones(px.shape[:3]), "box_px": box,
                "landmarks_px": marks_px, "landmark_confidence": np.ones(marks_px.shape[:3]),
            })  # fmt: skip
    Capture(source="test", recordings=recordings).write(folder)
    return truth


def rewrite_capture(folder, change):
    """Apply `change(recording)` to every recording of the manifest."""
    path = folder / "manifest.json"
    capture = Capture.model_validate_json(path.read_text())
    for recording in capture.recordings:
        change(recording)
    capture.write(folder)


def spoil(folder, recording, **arrays):
    """Overwrite arrays of the 2D poses of a recording."""
    reopen(folder / "poses2d.zarr", POSES2D)[recording].person(0).write(0, arrays)
