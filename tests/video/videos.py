"""Small videos and parameters for the tests of this room."""

import struct
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


def drop_frames(path: Path, gaps: dict[int, int]) -> Path:
    """Rewrite the time stamps of an mp4: `gaps` says how many frames are missing just before a frame.

    The table of the frames' durations (stts) becomes longer, and so do all boxes around it.
    """
    data = bytearray(path.read_bytes())
    at = data.index(b"stts") - 4
    n, duration = struct.unpack(">II", data[at + 16 : at + 24])
    durations = [duration * (1 + gaps.get(i + 1, 0)) for i in range(n)]
    table = b"".join(struct.pack(">II", 1, one) for one in durations)
    old = struct.unpack(">I", data[at : at + 4])[0]
    data[at : at + old] = struct.pack(">I4sII", 16 + len(table), b"stts", 0, n) + table
    for name in (b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        start = data.rindex(name, 0, at) - 4
        size = struct.unpack(">I", data[start : start + 4])[0] + 16 + len(table) - old
        data[start : start + 4] = struct.pack(">I", size)
    _lengthen(data, sum(durations) / sum([duration] * n))
    path.write_bytes(data)
    return path


def _lengthen(data: bytearray, factor: float) -> None:
    """Multiply the durations of the movie, its track and its edit list, as players stop at their end."""
    for name, offset in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20), (b"elst", 12)):
        at = data.index(name)
        place = slice(at + offset, at + offset + 4)
        value = struct.unpack(">I", data[place])[0]
        data[place] = struct.pack(">I", round(value * factor))
