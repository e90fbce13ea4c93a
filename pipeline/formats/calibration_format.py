"""The interface of a calibration format, and functions that the readers and writers share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import ArrayLike

from pipeline.errors import UserError
from pipeline.geometry.camera.model import Camera

MM_PER_M = 1000.0
# Stands for an image size that the file does not store; it is inferred from the size of the video.
UNKNOWN_SIZE = (0, 0)

NamedCameras = list[tuple[str, Camera]]  # as the file has them; names may repeat
Reader = Callable[[Path], NamedCameras]
Writer = Callable[[Path, Mapping[str, Camera], str], None]  # path, cameras by name, comment to be written into the file


def always(path: Path) -> bool:
    """True for every file."""
    return True


def never(path: Path) -> bool:
    """False for every file."""
    return False


@dataclass(frozen=True)
class CalibrationFormat:
    """A format of calibration files.

    A reader turns one file into cameras with the project's conventions (`pipeline.geometry.camera`); it may raise
    ValueError, KeyError or TypeError if it does not understand the file. Where the file does not state its unit of
    length, the reader takes metres. The writer is None if the format is only read; it is called for a file that does
    not exist, and calls `refuse_existing` for any other file that it writes.
    """

    programs: str  # programs that read and write the format
    endings: tuple[str, ...]  # endings of the file's name, in lower case
    read: Reader
    write: Writer | None = None
    holds_cameras: Callable[[Path], bool] = always  # whether a file with such a name is a calibration, by its content
    states_unit: Callable[[Path], bool] = always  # whether the file or the format states the unit of length
    has_scale: bool = True  # whether lengths have a unit at all
    has_names: bool = True  # whether cameras have names; else their order is all that identifies them
    one_per_camera: bool = False  # whether each camera has a file of its own; a reader of one of them reads all

    def has_name(self, path: Path) -> bool:
        """Whether a file's name has one of the endings, in any letter case."""
        return path.name.lower().endswith(self.endings)


def make_camera(
    K: ArrayLike,
    dist: ArrayLike,
    size_px: tuple[float, float],
    rotation: ArrayLike | None,
    t_mm: ArrayLike | None,
    *,
    fisheye: bool = False,
) -> Camera:
    """A camera from the numbers of a file; `rotation` is a matrix (3, 3) or a rotation vector of 3 numbers.

    The camera has extrinsics only if both rotation and translation are given.
    Raises ValueError for numbers in another shape.
    """
    matrix = np.array(K, float)
    if matrix.shape != (3, 3):
        raise ValueError(f"The camera matrix has the shape {matrix.shape}, not (3, 3)")
    R = t = None
    if rotation is not None and t_mm is not None:
        R = np.array(rotation, float)
        R = R if R.shape == (3, 3) else cv2.Rodrigues(R.reshape(3))[0]
        t = np.array(t_mm, float).reshape(3)
    width, height = (int(n) for n in size_px)
    return Camera(matrix, np.array(dist, float).reshape(-1), (width, height), R, t, fisheye)


def find_beside(path: Path, name: str) -> Path | None:
    """The file of this name in the folder of another, in any letter case; None if there is none.

    Raises UserError if several files differ from the name in letter case only, unless one has just that name.
    """
    if path.with_name(name).exists():
        return path.with_name(name)
    found = sorted(other for other in path.parent.iterdir() if other.name.lower() == name.lower())
    if len(found) > 1:
        names = ", ".join(other.name for other in found)
        raise UserError(f"{path.parent} holds several files of extrinsics: {names}", fix=f"Keep {name}.")
    return found[0] if found else None


def refuse_existing(path: Path) -> None:
    """Raise UserError if a file exists, as it may be the calibration that footage is read with."""
    if path.exists():
        raise UserError(f"{path} exists", fix="Export to another name or folder, or delete the file first.")
