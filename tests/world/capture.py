"""A capture on disk: its manifest, its truth, and what is exactly known of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.capture import Capture, Recording, Rejected, View
from pipeline.capture_paths import CapturePaths
from pipeline.geometry.camera.model import Camera
from pipeline.stores import TRUTH, create_store
from tests.world.cameras import lens_cameras, small_camera, stick_figure_cameras
from tests.world.people import N_FRAMES, people, stick_figures, turning
from tests.world.records import TRUTH_SUMMARY, truth_record

REJECTED = "<script>alert(1)</script>.mp4 ends after 3 of 400 frames"


@dataclass
class World:
    """A capture, its paths, and the true joints (F, J, 3) of each recording that the cameras see."""

    paths: CapturePaths
    capture: Capture
    cameras: list[Camera]
    joints_world_mm: dict[str, np.ndarray]

    def joints_cam_mm(self, name: str) -> np.ndarray:
        """True joints (F, V, J, 3) of a recording in the frame of each camera."""
        return np.stack([camera.to_camera(self.joints_world_mm[name]) for camera in self.cameras], 1)

    def joints_px(self, name: str) -> np.ndarray:
        """Pixels (F, V, J, 2) of the true joints of a recording."""
        return np.stack([camera.project(self.joints_world_mm[name]) for camera in self.cameras], 1)

    def rewrite(self, change: Callable[[Recording], Any]) -> None:
        """Apply `change(recording)` to every recording of the manifest."""
        for recording in self.capture.recordings:
            change(recording)
        self.capture.write(self.paths.frames)


def paths_of(root: Path) -> CapturePaths:
    """The paths of a capture whose folders lie in `root`."""
    return CapturePaths(root / "data", root / "models", root / "reports")


def write_world(
    paths: CapturePaths, capture: Capture, cameras: Sequence[Camera], joints: Mapping[str, np.ndarray], *, truth: bool
) -> World:
    """Write the manifest and, if wanted, the truth."""
    world = World(paths, capture, list(cameras), dict(joints))
    paths.frames.mkdir(parents=True, exist_ok=True)
    capture.write(paths.frames)
    if truth:
        with create_store(paths.truth, TRUTH, TRUTH_SUMMARY) as store:
            for recording in capture.recordings:
                own = world.joints_world_mm[recording.name]
                group = store.create(recording.name, {"frame": len(own)}, truth_record(recording.subject)).person(0)
                group.write(0, {"joints_world_mm": own})
    return world


def walkers(
    root: Path, n_recordings: int = 2, n_frames: int = 25, n_views: int = 4, area_mm: float = 1000.0, **changes: Any
) -> World:
    """People among the cameras of one ring, who stand elsewhere in each frame, 0.4 s later; no truth, no frames.

    `changes` are fields of all recordings.
    """
    cameras = lens_cameras(n_views)
    joints = {f"r{i}": people(n_frames, seed=i, area_mm=area_mm) for i in range(n_recordings)}
    recordings = []
    for name in joints:
        views = [View.of(f"c{v}", "none", camera) for v, camera in enumerate(cameras)]
        fields = dict(
            name=name, subject=name, action="walk", split="train", rig="A", fps=2.5, n_frames=n_frames, views=views
        )  # fmt: skip
        recordings.append(Recording(**(fields | changes)))
    return write_world(paths_of(root), Capture(source="test", recordings=recordings), cameras, joints, truth=False)


def turning_people(
    root: Path, *, truth: bool = True, extrinsics: bool = True, evaluation_view: bool = True, test: bool = True
) -> World:
    """Two training recordings and a test one of people who turn; the last of four views is for evaluation only.

    Without `extrinsics` the manifest lacks them. Frames are every second one of a video.
    """
    cameras = [small_camera(angle) for angle in (0.0, 1.6, 3.1, 4.7)]
    recordings = []
    for subject, split in [("S1", "train"), ("S2", "train")] + [("S3", "test")] * test:
        views = []
        for v, camera in enumerate(cameras):
            given = camera if extrinsics else camera.with_extrinsics(None, None)
            only = evaluation_view and v == 3
            views.append(View.of(f"cam{v}", f"{subject}.cam{v}.jpegs", given, evaluation_only=only))
        recordings.append(
            Recording(
                name=f"{subject}-turning", subject=subject, action="turning", split=split, rig="room", fps=12.5,
                n_frames=N_FRAMES, frame_numbers=list(range(0, 2 * N_FRAMES, 2)), views=views,
            )
        )  # fmt: skip
    rejected = [Rejected(recording="S9-jumping", reason=REJECTED)]
    capture = Capture(source="demo", recordings=recordings, rejected=rejected)
    joints = {recording.name: turning(n) for n, recording in enumerate(recordings)}
    return write_world(paths_of(root), capture, cameras, joints, truth=truth)


def stick_figure_world(root: Path, n_frames: int = 6) -> World:
    """Two training recordings and a test one of stick figures, of two views and a third one for evaluation only."""
    rng, middle = np.random.default_rng(1), np.array([0, 0, 3000.0])
    cameras = stick_figure_cameras()
    recordings, joints = [], {}
    for i, split in enumerate(("train", "train", "test")):
        name = f"S{i}"
        joints[name] = stick_figures(rng, n_frames) + middle
        views = [
            View.of(f"c{v}", f"{name}_{v}.npy", camera, evaluation_only=v == 2) for v, camera in enumerate(cameras)
        ]
        recordings.append(
            Recording(
                name=name, subject=name, action="stand", split=split, rig="r", fps=25.0, n_frames=n_frames, views=views
            )
        )
    return write_world(paths_of(root), Capture(source="sticks", recordings=recordings), cameras, joints, truth=True)
