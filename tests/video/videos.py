"""Small videos and parameters for the tests of this room."""

from pathlib import Path

import cv2
import numpy as np

from pipeline.geometry.camera.model import Camera
from pipeline.params.frames import FramesParams

SIZE = (96, 64)
CAMERA = Camera(np.array([[100.0, 0, 47], [0, 101, 33], [0, 0, 1]]), np.array([0.1, 0, 0, 0]), SIZE)
PARAMS = FramesParams(
    every_n_frames=1, max_side_px=1000, jpeg_quality=95, unequal_lengths="reject", size_mismatch="zoom",
    size_tolerance=0.05, strict=False,
)  # fmt: skip


def params(**changes) -> FramesParams:
    return PARAMS.model_copy(update=changes)


def level(i: int) -> int:
    return 20 + 10 * i


def write_video(path: Path, n: int = 12, size: tuple[int, int] = SIZE) -> Path:
    """Frame i is uniformly red (RGB) at level(i)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25, size)
    for i in range(n):
        video.write(np.full((size[1], size[0], 3), (0, 0, level(i)), np.uint8))
    video.release()
    return path
