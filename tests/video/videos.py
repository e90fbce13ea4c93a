"""Small videos and parameters for the tests of this room."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from pipeline.geometry.camera.model import Camera
from pipeline.params.frames import FramesParams
from pipeline.stores import TRUTH, create_store
from tests.world.records import TRUTH_SUMMARY, truth_record

SIZE = (96, 64)
CAMERA = Camera(np.array([[100.0, 0, 47], [0, 101, 33], [0, 0, 1]]), np.array([0.1, 0, 0, 0]), SIZE)
PARAMS = FramesParams(
    every_n_frames=1, max_side_px=1000, jpeg_quality=95, unequal_lengths="trim", size_mismatch="zoom",
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


def encode(
    path: Path, n: int = 12, *, codec: str = "libx264", pix_fmt: str = "yuv420p", size: tuple[int, int] = SIZE,
    times_ms: Sequence[int] | None = None, fps: int = 25, options: dict[str, str] | None = None,
    container: dict[str, str] | None = None, audio_s: float = 0.0,
) -> Path:  # fmt: skip
    """As write_video, with another encoder, with time stamps, with options or with silence of so many seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options=container or {}) as file:
        stream = file.add_stream(codec, rate=fps, options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        if times_ms is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        sound = file.add_stream("aac", rate=8000) if audio_s else None
        for i in range(n):
            image = np.full((size[1], size[0], 3), (level(i), 0, 0), np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            if times_ms is not None:
                frame.pts, frame.time_base = times_ms[i], Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
        if sound is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, int(8000 * audio_s)), np.float32), "fltp", "mono")
            silence.sample_rate = 8000
            file.mux(sound.encode(silence))
            file.mux(sound.encode())
    return path


def hide_frames(path: Path, n: int, fps: int = 25) -> Path:
    """Hide the first n frames of an mp4 by its edit list, as `ffmpeg -ss ... -c copy` does."""
    data = bytearray(path.read_bytes())
    scale = struct.unpack(">I", data[data.index(b"mdhd") + 16 : data.index(b"mdhd") + 20])[0]
    at = data.index(b"elst") + 16  # version, flags and number of entries; the first entry's duration comes first
    media_time = struct.unpack(">i", data[at : at + 4])[0]
    data[at : at + 4] = struct.pack(">i", media_time + n * scale // fps)
    path.write_bytes(data)
    return path


def rotate(path: Path) -> Path:
    """Say in an mp4 that its images are to be turned by 90 degrees clockwise, as phones do."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    data[at : at + 36] = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def write_truth(capture: Path, joints: np.ndarray, times_s: np.ndarray, recording: str = "S1_walk") -> None:
    """The truth of a recording, with rows (F, 17, 3) at these times."""
    with create_store(capture / "truth.zarr", TRUTH, TRUTH_SUMMARY) as store:
        group = store.create(recording, {"frame": len(joints)}, truth_record())
        group.person(0).write(0, {"joints_world_mm": joints, "time_s": times_s})


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
