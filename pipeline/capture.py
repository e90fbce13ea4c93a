"""The manifest of a capture: recordings, views and cameras; written by the stages capture and frames.

A folder with a manifest holds `manifest.json` and, where the truth is known, `truth.zarr` (schema TRUTH).
After the stage `capture` a view's `file` is its video. After `frames` it is the packed frames, which the view's camera
then fits.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.alerts import Alert
from pipeline.errors import UserError, wrong_keys
from pipeline.geometry.camera.model import Camera
from pipeline.geometry.view_time import ViewTime

VERSION = 1


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SourceImages(_Strict):
    """The images that packed frames were made from."""

    video_px: tuple[int, int]  # width and height of the video
    n_frames: int  # of the video
    indices: str | None = None  # file of each packed frame's index in the video; None: they are `frame_numbers`
    calibrated_px: tuple[int, int]  # width and height of the images that the camera was calibrated with
    packed_from_calibrated: list[list[float]]  # 3 x 3: pixels of the packed frames from those of calibrated images


class View(_Strict):
    """One camera's video of a recording, and the camera given with the footage."""

    name: str
    file: str  # relative to the manifest's folder, or absolute
    # File of the times of its frames: after `capture` where they are given, after `frames` where they are not the
    # recording's.
    times: str | None = None
    evaluation_only: bool = False  # never used to calibrate, to make labels or to train
    K: list[list[float]]
    dist: list[float]
    fisheye: bool = False  # whether dist are the coefficients of OpenCV's fisheye model
    size_px: tuple[int, int]
    source: SourceImages | None = None  # set by the stage `frames`
    R_cam_from_world: list[list[float]] | None = None
    t_cam_from_world_mm: list[float] | None = None
    # The offset that the stage `calibrate` found, for the stages after it; not part of the manifest.
    time: ViewTime = Field(default=ViewTime(), exclude=True)

    @property
    def camera(self) -> Camera:
        """The camera, with extrinsics if they were given with the footage."""
        pose = (self.R_cam_from_world, self.t_cam_from_world_mm)
        R, t = (None if x is None else np.array(x, float) for x in pose)
        return Camera(np.array(self.K, float), np.array(self.dist, float), self.size_px, R, t, self.fisheye)

    @classmethod
    def of(
        cls, name: str, file: str, camera: Camera, *, evaluation_only: bool = False, times: str | None = None,
        source: SourceImages | None = None,
    ) -> "View":  # fmt: skip
        """A view seen by `camera`."""
        R, t = camera.R_cam_from_world, camera.t_cam_from_world_mm
        return cls(
            name=name, file=file, times=times, evaluation_only=evaluation_only,
            K=camera.K.tolist(), dist=camera.dist.tolist(), fisheye=camera.fisheye, size_px=camera.size_px,
            source=source,
            R_cam_from_world=None if R is None else R.tolist(), t_cam_from_world_mm=None if t is None else t.tolist(),
        )  # fmt: skip


class Recording(_Strict):
    """One synchronised take: frame i of every view shows the same moment, but for differences that `View.times` has."""

    name: str
    subject: str
    action: str
    split: Literal["train", "test"]
    rig: str  # recordings with the same rig were filmed by the same static cameras
    height_mm: float | None = None  # the subject's, if known
    fps: float
    n_frames: int
    frame_numbers: list[int] | None = None  # of each kept moment on the common clock; set by the stage `frames`
    clock_fps: float | None = None  # frames per second of that clock
    views: list[View]

    @property
    def moments_s(self) -> np.ndarray:
        """The time (n_frames,) in s of each kept moment."""
        if self.frame_numbers is None or self.clock_fps is None:
            return np.arange(self.n_frames) / self.fps
        return np.array(self.frame_numbers) / self.clock_fps

    def view_indices(self, *, for_labels: bool = False) -> list[int]:
        """Indices of the views; with `for_labels`, only of those that labels may be made from."""
        return [i for i, view in enumerate(self.views) if not (for_labels and view.evaluation_only)]

    def with_times(self, times: Sequence[ViewTime]) -> "Recording":
        """The recording with other times of its views."""
        views = [view.model_copy(update={"time": time}) for view, time in zip(self.views, times, strict=True)]
        return self.model_copy(update={"views": views})


class Rejected(_Strict):
    """A recording that could not be used, and why."""

    recording: str
    reason: str

    @property
    def alert(self) -> Alert:
        """The rejection as an alert."""
        message = f"the recording is left out: {self.reason}"
        return Alert(kind="recording_rejected", severity="error", subject=self.recording, message=message)


class Capture(_Strict):
    """All recordings of a capture, and those that were rejected."""

    version: int = VERSION
    source: str
    intrinsics: Literal["given", "assumed"] = "given"
    recordings: list[Recording]
    rejected: list[Rejected] = []
    alerts: list[Alert] = []  # doubts about the footage

    def write(self, folder: Path) -> None:
        """Write `manifest.json` into the folder."""
        (folder / "manifest.json").write_text(self.model_dump_json(indent=1) + "\n")


def read_capture(folder: Path) -> Capture:
    """Read a folder's manifest; the views' files become paths that can be opened.

    Raises UserError if the manifest is missing, or has another version or other keys.
    """
    path = folder / "manifest.json"
    if not path.exists():
        raise UserError(f"{path} does not exist", fix="Run the stages before this one: dvc repro.")
    text = path.read_text()
    version, again = json.loads(text).get("version"), "Run dvc repro to make it again."
    if version != VERSION:
        raise UserError(f"{path} has version {version}, this code reads version {VERSION}", fix=again)
    try:
        capture = Capture.model_validate_json(text)
    except ValidationError as error:
        raise UserError(wrong_keys(error.errors()), where=str(path), fix=again) from None
    for recording in capture.recordings:
        for view in recording.views:
            view.file = str(folder / view.file)
            view.times = view.times and str(folder / view.times)
            if view.source is not None and view.source.indices is not None:
                view.source.indices = str(folder / view.source.indices)
    return capture
