"""OpenCV's stereo calibration: `intrinsics.yml` (M1, D1, M2, D2) and, beside it, `extrinsics.yml` (R, T), or XML.

The pose is that of the second camera relative to the first; the unit of length is that in which the squares of the
board were given. OpenCV's sample program stores neither names nor an image size.
"""

from pathlib import Path

import numpy as np

from pipeline.formats.calibration_format import (
    MM_PER_M,
    UNKNOWN_SIZE,
    CalibrationFormat,
    NamedCameras,
    find_beside,
    make_camera,
    never,
)
from pipeline.formats.opencv_storage import has_entry, open_storage

NAMES = ("1", "2")


def read(path: Path) -> NamedCameras:
    """Both cameras; with extrinsics if their file lies beside it."""
    with open_storage(path) as storage:
        lenses = [(storage.getNode(f"M{name}").mat(), storage.getNode(f"D{name}").mat()) for name in NAMES]
    poses: list[tuple[np.ndarray | None, np.ndarray | None]] = [(None, None), (None, None)]
    beside = find_beside(path, path.name.lower().replace("intrinsics", "extrinsics"))
    if beside is not None:
        with open_storage(beside) as storage:
            R, T = storage.getNode("R").mat(), storage.getNode("T").mat()
        if R is None or T is None:
            raise KeyError(f"R and T in {beside.name}")
        poses = [(np.eye(3), np.zeros(3)), (R, MM_PER_M * T)]
    return [
        (name, make_camera(K, [] if dist is None else dist, UNKNOWN_SIZE, *pose))
        for name, (K, dist), pose in zip(NAMES, lenses, poses, strict=True)
    ]


def holds_cameras(path: Path) -> bool:
    """Whether the file has the matrix of the second camera."""
    return has_entry(path, "M2")


FORMAT = CalibrationFormat(
    "OpenCV (two cameras)", ("intrinsics.yml", "intrinsics.yaml", "intrinsics.xml"), read,
    holds_cameras=holds_cameras, states_unit=never, has_names=False,
)  # fmt: skip
