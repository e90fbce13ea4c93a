"""Writes cameras as calibration files that other programs read: Pose2Sim, Anipose, Caliscope, OpenCV, and our own."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.errors import UserError
from pipeline.files import atomic_write
from pipeline.formats.calibration_files import MM_PER_M, UNITS_MM
from pipeline.geometry.camera.model import Camera

Cameras = Mapping[str, Camera]


@dataclass(frozen=True)
class Format:
    """A kind of calibration file."""

    write: Callable[[Path, Cameras], None]
    endings: tuple[str, ...]  # of the file's name
    of: str  # for whom


def write_calibration(path: Path, cameras: Cameras, form: str) -> None:
    """Write named cameras to a file of one of FORMATS; extrinsics where they are known.

    Raises UserError for a name of the file that the format does not allow.
    """
    known = FORMATS[form]
    if not path.name.lower().endswith(known.endings):
        fix = f"Let its name end with {' or '.join(known.endings)}."
        raise UserError(f"{path} is no name for a calibration of the format {form}", fix=fix)
    path.parent.mkdir(parents=True, exist_ok=True)
    known.write(path, cameras)


def _toml_table(camera: Camera, unit: str) -> dict[str, Any]:
    """What all TOML formats say of a camera; the rotation is a vector, as OpenCV's Rodrigues makes it."""
    table: dict[str, Any] = {
        "size": list(camera.size_px),
        "matrix": camera.K.tolist(),
        # Some readers want at least four.
        "distortions": np.pad(camera.dist, (0, max(4 - len(camera.dist), 0))).tolist(),
        "fisheye": camera.fisheye,
    }
    if camera.R_cam_from_world is not None and camera.t_cam_from_world_mm is not None:
        table["rotation"] = cv2.Rodrigues(camera.R_cam_from_world)[0].ravel().tolist()
        table["translation"] = (camera.t_cam_from_world_mm / UNITS_MM[unit]).tolist()
    return table


def _write_toml(path: Path, tables: Mapping[str, Mapping[str, Any]], *, below: str = "") -> None:
    # JSON's strings, numbers and lists are TOML's.
    lines = []
    for name, table in tables.items():
        lines += [f"[{below}{json.dumps(name)}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items()), ""]
    with atomic_write(path) as aside:
        aside.write_text("\n".join(lines), encoding="utf-8")


def _write_pose2sim(path: Path, cameras: Cameras) -> None:
    """A table per camera, named as it is; metres."""
    tables = {name: {"name": name, **_toml_table(camera, "m")} for name, camera in cameras.items()}
    _write_toml(path, {**tables, "metadata": {"adjusted": False, "error": 0.0}})


def _write_anipose(path: Path, cameras: Cameras) -> None:
    """Tables cam_0, cam_1, ...; its unit is that of the board it calibrated with, for which millimetres are usual."""
    tables = {f"cam_{i}": {"name": name, **_toml_table(c, "mm")} for i, (name, c) in enumerate(cameras.items())}
    _write_toml(path, {**tables, "metadata": {"adjusted": False, "error": 0.0, "unit": "mm"}})


def _write_caliscope(path: Path, cameras: Cameras) -> None:
    """`camera_array.toml`: tables cameras.0, cameras.1, ..., that number their cameras as ports; metres."""
    said = {"rotation_count": 0, "error": 0.0, "ignore": False}
    tables = {
        str(port): {"port": port, "name": name, **said, **_toml_table(camera, "m")}
        for port, (name, camera) in enumerate(cameras.items())
    }
    _write_toml(path, tables, below="cameras.")


def _write_own(path: Path, cameras: Cameras) -> None:
    """A table per camera, millimetres: what `footage/calibration.toml` holds."""
    tables = {name: {"name": name, **_toml_table(camera, "mm")} for name, camera in cameras.items()}
    _write_toml(path, {**tables, "metadata": {"unit": "mm"}})


def _write_opencv(path: Path, cameras: Cameras) -> None:
    """`intri` with K, dist, H, W and, beside it, `extri` with rotations as vector and matrix, and metres."""
    if any(camera.fisheye for camera in cameras.values()):
        raise UserError(f"{path} cannot hold fisheye lenses", fix="Choose another format.")
    extrinsics = path.with_name(path.name.replace("intri", "extri"))
    _write_storage(path, cameras, _intrinsics)
    if all(camera.has_extrinsics for camera in cameras.values()):
        _write_storage(extrinsics, cameras, _extrinsics)


def _write_storage(path: Path, cameras: Cameras, entries: Callable[[str, Camera], dict[str, Any]]) -> None:
    # The name's ending tells OpenCV whether to write YAML or XML, so it cannot be written aside under another.
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    if not storage.isOpened():
        raise UserError(f"{path} cannot be written", fix="Choose a folder that can be written to.")
    storage.startWriteStruct("names", cv2.FILE_NODE_SEQ)
    for name in cameras:
        storage.write("", name)
    storage.endWriteStruct()
    for name, camera in cameras.items():
        for key, value in entries(name, camera).items():
            storage.write(key, value)
    storage.release()


def _intrinsics(name: str, camera: Camera) -> dict[str, Any]:
    dist = np.pad(camera.dist, (0, max(5 - len(camera.dist), 0)))
    width, height = camera.size_px
    return {f"K_{name}": camera.K, f"dist_{name}": dist[None], f"H_{name}": height, f"W_{name}": width}


def _extrinsics(name: str, camera: Camera) -> dict[str, Any]:
    R, t = np.asarray(camera.R_cam_from_world), np.asarray(camera.t_cam_from_world_mm)
    return {f"R_{name}": cv2.Rodrigues(R)[0], f"Rot_{name}": R, f"T_{name}": t[:, None] / MM_PER_M}


FORMATS: dict[str, Format] = {
    "epiline": Format(_write_own, (".toml",), "this pipeline"),
    "pose2sim": Format(_write_pose2sim, (".toml",), "Pose2Sim"),
    "anipose": Format(_write_anipose, (".toml",), "Anipose"),
    "caliscope": Format(_write_caliscope, (".toml",), "Caliscope"),
    "opencv": Format(_write_opencv, ("intri.yml", "intri.yaml", "intri.xml"), "OpenCV and EasyMocap"),
}
