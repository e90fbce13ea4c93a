"""Anipose's `calibration.toml`: tables cam_0, cam_1, ...; written in millimetres.

Anipose's unit of length is the unit of its calibration board, usually millimetres; the file names the unit.
"""

from collections.abc import Mapping
from pathlib import Path

from pipeline.formats.calibration_format import CalibrationFormat
from pipeline.formats.camera_toml import camera_table, read_toml, write_toml
from pipeline.geometry.camera.model import Camera


def write(path: Path, cameras: Mapping[str, Camera], comment: str) -> None:
    """Write the cameras as aniposelib's `CameraGroup.dump` does."""
    tables = {f"cam_{i}": {"name": name, **camera_table(c, "mm")} for i, (name, c) in enumerate(cameras.items())}
    write_toml(path, {**tables, "metadata": {"adjusted": False, "error": 0.0, "unit": "mm"}}, comment)


FORMAT = CalibrationFormat("Anipose", (".toml",), read_toml, write)
