"""Cameras as TOML tables, which Pose2Sim, Anipose, FreeMoCap, Caliscope and this pipeline write in different ways.

A table holds name, size, matrix, distortions, fisheye, rotation (a vector, as of OpenCV's Rodrigues, or a matrix) and
translation. One reader handles all variants; each program's module writes its own variant.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.errors import UserError
from pipeline.files import atomic_write
from pipeline.formats.calibration_format import (
    MM_PER_M,
    UNKNOWN_SIZE,
    CalibrationFormat,
    NamedCameras,
    Writer,
    make_camera,
)
from pipeline.geometry.camera.model import Camera

# The units that a file may name as `unit` under [metadata]. Without one, translations are taken for metres.
UNITS_MM = {"m": MM_PER_M, "mm": 1.0, "cm": 10.0}
MIN_DISTORTIONS = 4  # some of the programs cannot read fewer
MISSING = "null"  # what older versions of Caliscope write for a value that is not known


def read_toml(path: Path) -> NamedCameras:
    """The cameras of all tables that have a matrix.

    Raises UserError for an unknown unit.
    """
    tables = _tables(path)
    unit = _unit(tables) or "m"
    if unit not in UNITS_MM:
        raise UserError(f"unit = {unit!r} is not known", where=str(path), fix=f"Known are {', '.join(UNITS_MM)}.")
    return [(_name(section, table), _camera(table, UNITS_MM[unit])) for section, table in _cameras(tables).items()]


def holds_cameras(path: Path) -> bool:
    """Whether a table of the file has a camera matrix. A file that is no TOML may have been one: reading it says so."""
    try:
        return bool(_cameras(_tables(path)))
    except ValueError:
        return True


def states_unit(path: Path) -> bool:
    """Whether the file names the unit of its translations."""
    return _unit(_tables(path)) is not None


def toml_format(programs: str, write: Writer) -> CalibrationFormat:
    """The format of a program that writes such tables."""
    return CalibrationFormat(
        programs, (".toml",), read_toml, write, holds_cameras=holds_cameras, states_unit=states_unit
    )


def _tables(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:  # Python on Windows writes other encodings: paths with umlauts in FreeMoCap's files
        text = data.decode("latin-1")
    return tomllib.loads(text)


def _unit(tables: Mapping[str, Any]) -> str | None:
    metadata = tables.get("metadata")
    unit = metadata.get("unit") if isinstance(metadata, dict) else None
    return None if unit is None else str(unit)


def _cameras(tables: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The tables of cameras by their headings; Caliscope has them below [cameras], others at the top."""
    below = tables.get("cameras")
    numbered = {f"cameras.{number}": table for number, table in below.items()} if isinstance(below, dict) else {}
    return {
        section: {key: value for key, value in table.items() if value != MISSING}
        for section, table in {**tables, **numbered}.items()
        if isinstance(table, dict) and table.get("matrix", MISSING) != MISSING
    }


def _name(section: str, table: Mapping[str, Any]) -> str:
    """A camera's name: as stated, else that of its video from Caliscope, present (cam_id) or older (port)."""
    if "name" in table:
        return str(table["name"])
    if "cam_id" in table:
        return f"cam_{table['cam_id']}"
    if "port" in table:
        return f"port_{table['port']}"
    return section.replace("cameras.", "port_")


def _camera(table: Mapping[str, Any], unit_mm: float) -> Camera:
    translation = table.get("translation")
    return make_camera(
        table["matrix"],
        table.get("distortions", []),
        table.get("size", UNKNOWN_SIZE),
        table.get("rotation"),
        None if translation is None else unit_mm * np.array(translation, float),
        fisheye=bool(table.get("fisheye", False)),
    )


def camera_table(camera: Camera, unit: str) -> dict[str, Any]:
    """The entries of a camera that all variants share, with the translation in one of UNITS_MM."""
    table: dict[str, Any] = {
        "size": list(camera.size_px),
        "matrix": camera.K.tolist(),
        "distortions": np.pad(camera.dist, (0, max(MIN_DISTORTIONS - len(camera.dist), 0))).tolist(),
        "fisheye": camera.fisheye,
    }
    if camera.R_cam_from_world is not None and camera.t_cam_from_world_mm is not None:
        table["rotation"] = cv2.Rodrigues(camera.R_cam_from_world)[0].ravel().tolist()
        table["translation"] = (camera.t_cam_from_world_mm / UNITS_MM[unit]).tolist()
    return table


def write_toml(path: Path, tables: Mapping[str, Mapping[str, Any]], comment: str, *, parent: str = "") -> None:
    """Write tables, below the table `parent` if one is named, and a comment of any number of lines."""
    prefix = f"{parent}." if parent else ""
    lines = [f"# {line}" for line in comment.splitlines()]
    for name, table in tables.items():
        # JSON's strings, numbers, lists and booleans are TOML's.
        entries = [f"{key} = {json.dumps(value)}" for key, value in table.items()]
        lines += [f"[{prefix}{json.dumps(name)}]", *entries, ""]
    with atomic_write(path) as aside:
        aside.write_text("\n".join(lines), encoding="utf-8")
