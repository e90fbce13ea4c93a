"""OpenCV's FileStorage as EasyMocap uses it: `intri.yml` and, beside it, `extri.yml`, or the same as XML.

The intrinsics hold names, K_NAME, dist_NAME (or D_NAME) and, not always, W_NAME, H_NAME; the extrinsics Rot_NAME
(matrix) or R_NAME (vector) and T_NAME. The unit of length is not stated; it is that in which the board was described.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.errors import UserError
from pipeline.formats.calibration_format import (
    MM_PER_M,
    UNKNOWN_SIZE,
    CalibrationFormat,
    NamedCameras,
    find_beside,
    make_camera,
    never,
    refuse_existing,
)
from pipeline.formats.opencv_storage import open_storage
from pipeline.geometry.camera.model import Camera

ENDINGS = ("intri.yml", "intri.yaml", "intri.xml")
MIN_DISTORTIONS = 5  # EasyMocap always writes five


def read(path: Path) -> NamedCameras:
    """The cameras of a file of intrinsics; with extrinsics if their file lies beside it."""
    extrinsics_path = find_beside(path, _extrinsics_path(path).name)
    with open_storage(path) as intrinsics:
        names = _names(intrinsics)
        if extrinsics_path is None:
            return [(name, _camera(name, intrinsics, None)) for name in names]
        with open_storage(extrinsics_path) as extrinsics:
            return [(name, _camera(name, intrinsics, extrinsics)) for name in names]


def write(path: Path, cameras: Mapping[str, Camera], comment: str) -> None:
    """Write the intrinsics to `path` and, if all cameras have them, the extrinsics to the file beside it.

    Raises UserError for fisheye lenses, which the format cannot hold, and if the file of the extrinsics exists.
    """
    if any(camera.fisheye for camera in cameras.values()):
        raise UserError(f"{path} cannot hold fisheye lenses", fix="Choose another format.")
    extrinsics_path = find_beside(path, _extrinsics_path(path).name) or _extrinsics_path(path)
    refuse_existing(extrinsics_path)
    _write_storage(path, cameras, comment, _intrinsics)
    if all(camera.has_extrinsics for camera in cameras.values()):
        _write_storage(extrinsics_path, cameras, comment, _extrinsics)


FORMAT = CalibrationFormat("OpenCV and EasyMocap", ENDINGS, read, write, states_unit=never)


def _extrinsics_path(path: Path) -> Path:
    """The path of the extrinsics: the path of the intrinsics with `ex` for `in`."""
    stem = re.sub("in(?=tri$)", lambda found: _in_case_of("ex", found.group()), path.stem, flags=re.IGNORECASE)
    return path.with_name(stem + path.suffix)


def _in_case_of(word: str, model: str) -> str:
    return "".join(a.upper() if b.isupper() else a for a, b in zip(word, model, strict=True))


def _names(storage: cv2.FileStorage) -> list[str]:
    names = storage.getNode("names")
    if not names.isSeq():
        raise KeyError("names")
    nodes = [names.at(i) for i in range(names.size())]
    found = [node.string() if node.isString() else str(int(node.real())) for node in nodes]
    return [name for name in found if name != "none"]  # EasyMocap's word for a camera that is left out


def _camera(name: str, intrinsics: cv2.FileStorage, extrinsics: cv2.FileStorage | None) -> Camera:
    K = intrinsics.getNode(f"K_{name}").mat()
    if K is None:
        raise KeyError(f"K_{name}")
    coefficients = (intrinsics.getNode(f"{key}_{name}").mat() for key in ("dist", "D"))
    dist = next((one for one in coefficients if one is not None), None)
    width, height = (intrinsics.getNode(f"{side}_{name}").real() for side in "WH")
    size = (width, height) if min(width, height) > 0 else UNKNOWN_SIZE  # EasyMocap writes -1 for an unknown size
    rotation = t_m = None
    if extrinsics is not None:
        rotations = (extrinsics.getNode(f"{key}_{name}").mat() for key in ("Rot", "R"))
        rotation = next((R for R in rotations if R is not None), None)
        t_m = extrinsics.getNode(f"T_{name}").mat()
    return make_camera(K, [] if dist is None else dist, size, rotation, None if t_m is None else MM_PER_M * t_m)


def _write_storage(
    path: Path, cameras: Mapping[str, Camera], comment: str, entries: Callable[[str, Camera], dict[str, Any]]
) -> None:
    # OpenCV chooses between YAML and XML by the ending of the name, so the file cannot be written under another name
    # first.
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    if not storage.isOpened():
        raise UserError(f"{path} cannot be written", fix="Choose a folder that can be written to.")
    if comment:
        storage.writeComment(comment)
    storage.startWriteStruct("names", cv2.FILE_NODE_SEQ)
    for name in cameras:
        storage.write("", name)
    storage.endWriteStruct()
    for name, camera in cameras.items():
        for key, value in entries(name, camera).items():
            storage.write(key, value)
    storage.release()


def _intrinsics(name: str, camera: Camera) -> dict[str, Any]:
    dist = np.pad(camera.dist, (0, max(MIN_DISTORTIONS - len(camera.dist), 0)))
    width, height = camera.size_px
    return {f"K_{name}": camera.K, f"dist_{name}": dist[None], f"H_{name}": height, f"W_{name}": width}


def _extrinsics(name: str, camera: Camera) -> dict[str, Any]:
    R, t = np.asarray(camera.R_cam_from_world), np.asarray(camera.t_cam_from_world_mm)
    return {f"R_{name}": cv2.Rodrigues(R)[0], f"Rot_{name}": R, f"T_{name}": t[:, None] / MM_PER_M}
