"""One recording as the stage `detect` leaves it, in memory: to be altered, written, and run through later stages."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pipeline.capture import Capture, Recording, View, read_capture
from pipeline.geometry.camera.model import Camera
from pipeline.stores import POSES2D, Poses2dRecord, Poses2dSummary, create_store, open_store

SUMMARY = Poses2dSummary(detector={"name": "bench", "version": "1", "sha256": "0"}, alerts=[])


@dataclass(frozen=True)
class Truth:
    """What is known of a take: exact for simulated people, otherwise the best that there is."""

    joints_world_mm: np.ndarray | None  # (F, J, 3)
    cameras: list[Camera]  # with extrinsics, one per view


@dataclass(frozen=True)
class Take:
    """A recording, and the arrays (frame, view, ...) of POSES2D of its one person."""

    recording: Recording
    arrays: dict[str, np.ndarray]
    truth: Truth | None = None
    intrinsics: Literal["given", "assumed"] = "given"
    fields: dict[str, Any] = field(default_factory=dict)  # of the record of POSES2D

    @property
    def n_views(self) -> int:
        """Number of views."""
        return len(self.recording.views)

    def with_arrays(self, arrays: dict[str, np.ndarray]) -> "Take":
        """The take with other detections, of the same frames and views."""
        return replace(self, arrays=self.arrays | arrays)

    def with_views(self, views: list[View]) -> "Take":
        """The take with other cameras, in the same order."""
        return replace(self, recording=self.recording.model_copy(update={"views": views}))

    def views_taken(self, keep: list[int]) -> "Take":
        """Only some of the views, in a given order."""
        truth = self.truth and Truth(self.truth.joints_world_mm, [self.truth.cameras[v] for v in keep])
        arrays = {name: values[:, keep] for name, values in self.arrays.items()}
        taken = replace(self, arrays=arrays, truth=truth, fields={})
        return taken.with_views([self.recording.views[v] for v in keep])

    def frames_taken(self, rows: np.ndarray) -> "Take":
        """Only some of the frames."""
        arrays = {name: values[rows] for name, values in self.arrays.items()}
        joints = None if self.truth is None or self.truth.joints_world_mm is None else self.truth.joints_world_mm[rows]
        truth = self.truth and Truth(joints, self.truth.cameras)
        numbers = self.recording.frame_numbers and [self.recording.frame_numbers[i] for i in rows]
        recording = self.recording.model_copy(update={"n_frames": len(rows), "frame_numbers": numbers})
        return replace(self, recording=recording, arrays=arrays, truth=truth)

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write the manifest and the 2D poses into a folder; return the paths of the stages `frames` and `detect`."""
        frames, poses2d = folder / "frames", folder / "poses2d.zarr"
        frames.mkdir(parents=True, exist_ok=True)
        Capture(source="videos", intrinsics=self.intrinsics, recordings=[self.recording]).write(frames)
        px = self.arrays["joints_px"]
        views = [view.name for view in self.recording.views]
        found = {name: int(np.isfinite(px[:, v, :, 0]).any(1).sum()) for v, name in enumerate(views)}
        record = {
            "persons": [self.recording.subject],
            "views": views,
            "found": found,
            "crashed": dict.fromkeys(views, 0),
        }
        sizes = {"frame": len(px), "view": len(views), "landmark": self.arrays["landmarks_px"].shape[2]}
        with create_store(poses2d, POSES2D, SUMMARY) as store:
            group = store.create(self.recording.name, sizes, Poses2dRecord(**(record | self.fields))).person(0)
            for start, stop in group.shards():
                group.write(start, {name: values[start:stop] for name, values in self.arrays.items()})
        return frames, poses2d


def read_take(data: Path) -> Take:
    """The only recording of a data folder whose stages up to `detect` have run."""
    capture = read_capture(data / "frames")
    [recording] = capture.recordings
    group = open_store(data / "poses2d.zarr", POSES2D)[recording.name].person(0)
    arrays = {array.name: np.asarray(group[array.name], float) for array in POSES2D.arrays}
    cameras = [view.camera for view in recording.views]
    known = all(camera.has_extrinsics for camera in cameras)
    return Take(recording, arrays, Truth(None, cameras) if known else None, capture.intrinsics)
