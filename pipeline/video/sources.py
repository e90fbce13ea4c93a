"""The images of a view, which may be a video or a folder of images."""

from pathlib import Path

import numpy as np

from pipeline.video.decoding import VideoFrames, VideoHeader, read_video_header
from pipeline.video.image_sequence import ImageFrames, read_images_header


def read_header(path: Path) -> VideoHeader:
    """The header of a video or of a folder of images. Raises UserError if it is missing or cannot be read."""
    return read_images_header(path) if path.is_dir() else read_video_header(path)


def open_frames(path: Path, header: VideoHeader, numbers: np.ndarray, every_n_frames: int) -> VideoFrames | ImageFrames:
    """Every n-th frame of a video or of a folder of images, by the numbers (F,) of its frames on the camera's clock."""
    frames = ImageFrames if path.is_dir() else VideoFrames
    return frames(path, header, numbers, every_n_frames)
