"""A capture's manifest after the stage `frames`, and 2D poses beside it; no images are needed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.capture import Capture, Recording, SourceImages, View
from pipeline.geometry.camera.model import Camera
from tests.detectors.params import detect_params

CAMERA = Camera(np.array([[500.0, 0, 319.5], [0, 500, 319.5], [0, 0, 1]]), np.zeros(0), (640, 640))
PARAMS = detect_params(detector="files")
VIEWS = ("cam1", "cam2")


def view(name: str, packed_px: int = 320, source: SourceImages | None = None) -> View:
    """A view whose video is 640 x 640 like its calibration, packed at half the size."""
    packed = CAMERA.resized((packed_px, packed_px))
    scale = (packed.K @ np.linalg.inv(CAMERA.K)).tolist()
    usual = SourceImages(video_px=(640, 640), n_frames=4, calibrated_px=(640, 640), packed_from_calibrated=scale)
    return View.of(name, f"{name}.jpegs", packed, source=source or usual)


def recording(
    name: str = "S1_walk",
    n_frames: int = 4,
    views: Sequence[View] | None = None,
    frame_numbers: list[int] | None = None,
) -> Recording:
    views = [view(one) for one in VIEWS] if views is None else list(views)
    for one in views:
        if one.source is not None:
            one.source.n_frames = n_frames if frame_numbers is None else frame_numbers[-1] + 1
    return Recording(
        name=name, subject=name.partition("_")[0], action="a", split="train", rig="r", fps=10, n_frames=n_frames,
        frame_numbers=list(range(n_frames)) if frame_numbers is None else frame_numbers,
        views=views,
    )  # fmt: skip


def write_frames(folder: Path, *recordings: Recording, **fields: Mapping[str, object]) -> Path:
    (folder / "frames").mkdir(parents=True, exist_ok=True)
    Capture(source="videos", recordings=list(recordings), **fields).write(folder / "frames")
    return folder / "frames"
