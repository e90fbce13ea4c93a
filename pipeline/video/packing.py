"""Packed frames: one file of JPEG images per view and an index beside it, for random access."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import overload

import cv2
import numpy as np


class PackedFrames(Sequence[np.ndarray]):
    """The packed frames of one view: item i is image i, (H, W, 3), uint8, RGB.

    Where the view has no frame, the one before is repeated, or the first one. The file is memory-mapped, so opening it
    is cheap. Threads may share an instance, and it can be pickled.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._ends = np.load(_index_path(self._path))
        self._bytes = np.memmap(self._path, np.uint8, mode="r")

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, i: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, i: slice) -> list[np.ndarray]: ...
    def __getitem__(self, i: int | slice) -> np.ndarray | list[np.ndarray]:
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(len(self)))]
        i = range(len(self))[i]
        end = max(self._ends[i], self._ends[self._ends.searchsorted(0, "right")])
        before = self._ends.searchsorted(end) - 1
        start = self._ends[before] if before >= 0 else 0
        image = cv2.imdecode(self._bytes[start:end], cv2.IMREAD_COLOR_RGB)
        if image is None:
            raise ValueError(f"{self._path} holds no image at {i}.")
        return image

    def __reduce__(self) -> tuple[type, tuple[Path]]:
        return PackedFrames, (self._path,)


def pack_frames(path: Path, images: Iterable[np.ndarray], jpeg_quality: int) -> None:
    """Write images (H, W, 3), uint8, BGR as JPEG into one file, and the end position of each image into the index."""
    ends = []
    with path.open("wb") as file:
        for image in images:
            file.write(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])[1].tobytes())
            ends.append(file.tell())
    np.save(_index_path(path), np.array(ends, np.int64))


def keep_frames(path: Path, rows: Sequence[int] | np.ndarray) -> None:
    """Keep only the frames of these increasing rows of a file of packed frames; -1 stands for no frame."""
    ends = np.load(_index_path(path))
    rows = np.asarray(rows, np.int64)
    sizes = np.where(rows < 0, 0, np.diff(ends, prepend=0)[rows])
    shown = rows[rows >= 0]
    if not np.array_equal(shown, np.arange(len(shown))):
        starts, aside = ends - np.diff(ends, prepend=0), path.with_suffix(".partial")
        with path.open("rb") as file, aside.open("wb") as kept:
            for row in shown:
                file.seek(int(starts[row]))
                kept.write(file.read(int(ends[row] - starts[row])))
        aside.replace(path)
    np.save(_index_path(path), np.cumsum(sizes))
    os.truncate(path, int(sizes.sum()))


def _index_path(path: Path) -> Path:
    return path.with_suffix(".index.npy")
