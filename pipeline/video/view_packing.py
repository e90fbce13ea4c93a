"""Packs the frames of one view's video."""

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pipeline.capture import View
from pipeline.errors import UserError
from pipeline.params.frames import FramesParams
from pipeline.video.camera_fit import fit_to_video
from pipeline.video.decoding import VideoHeader
from pipeline.video.frame_times import read_times
from pipeline.video.packing import pack_frames
from pipeline.video.sources import open_frames, read_header
from pipeline.video.times import Clock, clock_of


@dataclass(frozen=True)
class PackedView:
    """The result of packing one video."""

    header: VideoHeader
    size_px: tuple[int, int]  # of the packed frames
    indices: np.ndarray  # (F,) of the packed frames among those of the video
    n_damaged: int  # packets of the video that could not be decoded
    given_s: np.ndarray | None = None  # times of all frames of the video, if they are given beside it

    @property
    def clock(self) -> Clock:
        """The clock of the given times, or of the video's time stamps."""
        return self.header.clock if self.given_s is None else clock_of(self.given_s)


def pack_view(view: View, path: Path, params: FramesParams) -> PackedView:
    """Decode a view's video and pack every n-th frame of it into the file `path`.

    Raises UserError if the video cannot be used.
    """
    video_path = Path(os.path.normpath(view.file))
    header = read_header(video_path)
    fit_to_video(view.camera, header.size_px, params)  # refuses a wrong size before the video is decoded
    shrink = min(1.0, params.max_side_px / max(header.size_px))
    size_px = (round(header.size_px[0] * shrink), round(header.size_px[1] * shrink))
    given_s = None if view.times is None else read_times(view.times)
    numbers = header.clock.numbers if given_s is None else clock_of(given_s).numbers
    if len(numbers) != len(header.clock.numbers):
        what = f"{video_path} has {len(header.clock.numbers)} frames and {len(numbers)} given times"
        raise UserError(what, fix="Run the stage capture again.")
    video = open_frames(video_path, header, numbers, params.every_n_frames)
    pack_frames(path, (_resized(image, size_px) for image in video), params.jpeg_quality)
    if not video.indices:
        raise UserError(f"{video_path} holds no frame that can be decoded", fix="Copy it again.")
    return PackedView(header, size_px, np.array(video.indices), video.n_damaged, given_s)


def _resized(image: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    if image.shape[1::-1] == size_px:
        return image
    return cv2.resize(image, size_px, None, 0, 0, cv2.INTER_AREA)
