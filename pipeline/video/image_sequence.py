"""A folder of images as a video."""

import re
from array import array
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from pipeline.errors import UserError
from pipeline.video.decoding import VideoHeader, other_size
from pipeline.video.times import Clock

EXTENSIONS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
# The numbers in the files' names are those of the frames if at least this share of them follow each other.
MOST = 0.5


def image_files(folder: Path) -> list[Path]:
    """The images of a folder in the order of the numbers in their names."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in EXTENSIONS and not path.name.startswith(".")]
    return sorted(found, key=lambda path: ([int(number) for number in re.findall(r"\d+", path.stem)], path.name))


def read_images_header(folder: Path) -> VideoHeader:
    """The size of a folder's images and the numbers of its frames; their rate is unknown.

    Raises UserError if the folder is missing or has no image that can be read.
    """
    if not folder.exists():
        raise UserError(f"{folder} does not exist", fix="Put it back, or remove the recording.")
    files = image_files(folder)
    first = next((image for path in files if (image := cv2.imread(str(path), cv2.IMREAD_COLOR)) is not None), None)
    if first is None:
        raise UserError(f"{folder} holds no image that can be read", fix=f"Use one of {', '.join(EXTENSIONS)}.")
    return VideoHeader((first.shape[1], first.shape[0]), Clock(_numbers(files), 0.0))


class ImageFrames:
    """Every n-th image of a folder, as VideoFrames gives those of a video; `n_damaged` counts unreadable files."""

    def __init__(self, path: Path, header: VideoHeader, numbers: np.ndarray, every_n_frames: int) -> None:
        self.path, self.header, self.numbers, self.every_n_frames = path, header, numbers, every_n_frames
        self.indices = array("q")
        self.n_damaged = 0

    def __iter__(self) -> Iterator[np.ndarray]:
        """Read the images. Raises UserError where their size changes."""
        due = 0
        for index, (path, number) in enumerate(zip(image_files(self.path), self.numbers, strict=True)):
            if number < due:
                continue
            image = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if image is None:
                self.n_damaged += 1
                continue
            if image.shape[1::-1] != self.header.size_px:
                raise other_size(self.path, self.header.size_px, image)
            due = (int(number) // self.every_n_frames + 1) * self.every_n_frames
            self.indices.append(index)
            yield image


def _numbers(files: list[Path]) -> np.ndarray:
    """The numbers (F,) of the frames: the last ones in the files' names, where most of these follow each other."""
    plain = np.arange(len(files))
    found = [re.findall(r"\d+", path.stem) for path in files]
    if len(files) < 2 or not all(found):
        return plain
    numbers = np.array([float(own[-1]) for own in found])
    steps = np.diff(numbers)
    if steps.min() <= 0 or (steps == steps.min()).mean() < MOST or (steps % steps.min()).any():
        return plain
    return np.asarray((numbers - numbers[0]) // steps.min(), int)
