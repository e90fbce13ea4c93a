"""Small folders of footage for the tests of the readers."""

from pathlib import Path

import cv2
import numpy as np

from pipeline.capture import Capture, read_capture
from pipeline.datasets.videos import read_videos
from pipeline.params.capture import CaptureParams, DemoParams, TruthParams
from tests.formats.cameras import toml

DEMO = DemoParams(subjects=2, seconds=1.0, fps=25.0, size_px=64, seed=1)

TRUTH = TruthParams(coordinates="none", camera="cam1", axes="xyz", start_s=0.0)


def params(**changes) -> CaptureParams:
    values = {
        "source": "videos",
        "root": "footage",
        "intrinsics": "file",
        "image_fps": 30.0,
        "subjects": "all",
        "test_subjects": ["S7"],
        "truth": TRUTH,
        "demo": DEMO,
    }
    return CaptureParams(**{**values, **changes})


def write_video(path: Path, n: int = 5, fps: float = 25) -> Path:
    """Frames of one colour, which depends on the names of the video and of its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = np.random.default_rng(list(f"{path.parent.name}/{path.stem}".encode())).integers(0, 256, 3)
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, (96, 64))
    for _ in range(n):
        video.write(np.full((64, 96, 3), colour, np.uint8))
    video.release()
    return path


def footage(folder: Path, takes=("S1_walk",), cameras=("cam1", "cam2"), calibration: str | None = None) -> Path:
    root = folder / "footage"
    for take in takes:
        for camera in cameras:
            write_video(root / take / f"{camera}.mp4")
    root.mkdir(exist_ok=True)
    (root / "calibration.toml").write_text(toml() if calibration is None else calibration)
    return root


def read(root: Path, **changes) -> Capture:
    target = root.parent / "capture"
    target.mkdir(exist_ok=True)
    read_videos(params(**changes), root, target)
    return read_capture(target)
