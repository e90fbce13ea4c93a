"""Decoding of video files with PyAV (FFmpeg): by what a file holds, not by what its header announces."""

import math
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import numpy as np
from av.container import InputContainer

from pipeline.errors import UserError
from pipeline.video.containers import is_cut_off
from pipeline.video.deinterlacing import Deinterlacer
from pipeline.video.times import Clock, clock_of

if TYPE_CHECKING:
    _Packet = av.Packet[av.VideoStream]
else:  # a generic class for type checkers alone
    _Packet = av.Packet


@dataclass(frozen=True)
class VideoHeader:
    """The properties of a video."""

    size_px: tuple[int, int]  # width, height, of the image as it is shown, that is, rotated
    clock: Clock  # of the frames that the file holds, without those that an edit list hides
    is_cut_off: bool = False  # whether the end of the file is missing


def read_video_header(path: Path) -> VideoHeader:
    """Read the time stamps of a video's packets; only one frame is decoded.

    Raises UserError if the file is missing, is not a video or has no frame that can be decoded.
    """
    with _opened(path) as (container, stream):
        first, n_frames, times = None, 0, array("d")
        for packet in _packets(container, stream):
            if first is None:
                first = next(iter(_decoded(packet) or ()), None)
            if packet.size and not packet.is_discard:
                n_frames += 1
                times.append(math.nan if packet.pts is None else float(packet.pts * (packet.time_base or 0)))
        if first is None:
            raise _unreadable(path)
        size_px = (first.height, first.width) if first.rotation % 180 else (first.width, first.height)
        clock = clock_of(np.sort(times), float(stream.average_rate or stream.guessed_rate or 0))
        return VideoHeader(size_px, clock, is_cut_off(path))


class VideoFrames:
    """Every n-th frame of a video: iterate over it once; each image is (H, W, 3), uint8, BGR.

    Frames are counted by their `numbers` on the camera's clock, so that the n-th are the same moments after dropped
    frames. `indices` has the index of each frame that was kept among those of the file, and `n_damaged` counts the
    packets that could not be decoded.
    """

    def __init__(self, path: Path, header: VideoHeader, numbers: np.ndarray, every_n_frames: int) -> None:
        self.path, self.header, self.numbers, self.every_n_frames = path, header, numbers, every_n_frames
        self.indices = array("q")
        self.n_damaged = 0

    def __iter__(self) -> Iterator[np.ndarray]:
        """Decode the video. Raises UserError where the size of the images changes."""
        due = 0
        for i, frame in enumerate(self._frames()):
            found = self.header.clock.index_at(frame.time)
            index = min(i, len(self.numbers) - 1) if found is None else found
            number = int(self.numbers[index])
            if number < due:
                continue
            due = (number // self.every_n_frames + 1) * self.every_n_frames
            self.indices.append(index)
            yield self._image(frame)

    def _frames(self) -> Iterator[av.VideoFrame]:
        """The frames of the video, without interlacing."""
        with _opened(self.path) as (container, stream):
            stream.thread_type = "AUTO"
            deinterlacer = Deinterlacer(stream)
            for packet in _packets(container, stream):
                frames = _decoded(packet)
                self.n_damaged += frames is None
                for frame in frames or ():
                    yield from deinterlacer.push(frame)
            yield from deinterlacer.flush()

    def _image(self, frame: av.VideoFrame) -> np.ndarray:
        image = cast(np.ndarray, frame.to_ndarray(format="bgr24"))
        if frame.rotation:
            image = np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90)))
        if image.shape[1::-1] != self.header.size_px:
            raise other_size(self.path, self.header.size_px, image)
        return image


def other_size(path: Path, size_px: tuple[int, int], image: np.ndarray) -> UserError:
    """The error about a video with images of different sizes."""
    sizes = " and ".join(f"{width}x{height}" for width, height in (size_px, image.shape[1::-1]))
    return UserError(f"{path} holds images of different sizes: {sizes}", fix="Convert them to one size.")


def _packets(container: InputContainer, stream: av.VideoStream) -> Iterator[_Packet]:
    """The packets of a stream, up to where the file is damaged; the last one is empty."""
    try:
        yield from container.demux(stream)
    except av.FFmpegError:
        return


def _decoded(packet: _Packet) -> list[av.VideoFrame] | None:
    """The frames that are finished with a packet; None if it is damaged."""
    try:
        return packet.decode()
    except av.FFmpegError:
        return None


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, av.VideoStream]]:
    if not path.exists():
        raise UserError(f"{path} does not exist", fix="Put it back, or remove the recording.")
    try:
        container = av.open(str(path))
    except av.FFmpegError:
        raise _unreadable(path) from None
    with container:
        stream = container.streams.best("video")
        if not isinstance(stream, av.VideoStream):
            raise _unreadable(path)
        yield container, stream


def _unreadable(path: Path) -> UserError:
    fix = "The file is cut off or damaged, or not a video; copy it again or convert it to mp4 (H.264)."
    return UserError(f"{path} ({path.stat().st_size} bytes) cannot be read as a video", fix=fix)
