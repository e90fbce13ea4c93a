"""Decoding of video files with OpenCV's FFmpeg backend."""

import os
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pipeline.errors import UserError

# Containers without a frame count give duration times rate, so a difference of this many frames, or of this share, is
# due to rounding.
ROUNDING_FRAMES, ROUNDING_SHARE = 2, 0.01


@dataclass(frozen=True)
class VideoHeader:
    """The properties in the header of a video's container."""

    size_px: tuple[int, int]  # width, height
    fps: float
    n_frames: int  # a rounded estimate in containers that do not store it; 0: unknown


def read_header(path: Path) -> VideoHeader:
    """Read a video's header.

    Raises UserError if the file is missing or is not a video.
    """
    with _opened(path) as video:
        size_px = int(video.get(cv2.CAP_PROP_FRAME_WIDTH)), int(video.get(cv2.CAP_PROP_FRAME_HEIGHT))
        n_frames = max(0, int(video.get(cv2.CAP_PROP_FRAME_COUNT)))
        return VideoHeader(size_px, video.get(cv2.CAP_PROP_FPS), n_frames)


class VideoFrames:
    """Every n-th frame of a video: iterate over it once; each image is (H, W, 3), uint8, BGR.

    `n_decoded` counts the frames decoded so far, and `times_ms` has their time stamps, both including those of frames
    that were left out.
    """

    def __init__(self, path: Path, every_n_frames: int) -> None:
        self.path, self.every_n_frames = path, every_n_frames
        self.n_decoded = 0
        self.times_ms = array("d")

    def __iter__(self) -> Iterator[np.ndarray]:
        """Decode the video. Raises UserError at a frame that cannot be decoded."""
        with _opened(self.path) as video:
            while video.grab():
                self.n_decoded += 1
                self.times_ms.append(video.get(cv2.CAP_PROP_POS_MSEC))
                if (self.n_decoded - 1) % self.every_n_frames:
                    continue
                decoded, image = video.retrieve()
                if not decoded:
                    what = f"{self.path} cannot be decoded at frame {self.n_decoded - 1}"
                    raise UserError(what, fix="Copy it again.")
                yield image

    def check_complete(self, header: VideoHeader) -> None:
        """Raise UserError if there are clearly fewer decoded frames than the header states, or none."""
        missing = header.n_frames - self.n_decoded
        if self.n_decoded == 0 or missing > max(ROUNDING_FRAMES, ROUNDING_SHARE * header.n_frames):
            what = f"{self.path} ends after {self.n_decoded} of {header.n_frames} announced frames"
            raise UserError(what, fix="The file is cut off or damaged; copy it again.")


@contextmanager
def _opened(path: Path) -> Iterator[cv2.VideoCapture]:
    if not path.exists():
        raise UserError(f"{path} does not exist", fix="Put it back, or remove the recording.")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # FFmpeg's own messages; the UserErrors here replace them
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        # A file that is cut off within its header may open, with frames of width 0.
        if not video.isOpened() or video.get(cv2.CAP_PROP_FRAME_WIDTH) < 1:
            fix = "The file is cut off or damaged, or not a video; copy it again or convert it to mp4 (H.264)."
            raise UserError(f"{path} ({path.stat().st_size} bytes) cannot be read as a video", fix=fix)
        yield video
    finally:
        video.release()
