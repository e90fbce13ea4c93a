"""Caliscope's `camera_array.toml`: tables cameras.0, cameras.1, ..., whose numbers Caliscope calls ports; metres."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.formats.calibration_format import CalibrationFormat
from pipeline.formats.camera_toml import camera_table, read_toml, write_toml
from pipeline.geometry.camera.model import Camera


def write(path: Path, cameras: Mapping[str, Camera], comment: str) -> None:
    """Write the cameras, numbered in their order."""
    constant = {"rotation_count": 0, "error": 0.0, "ignore": False}
    tables = {
        str(port): {"port": port, "name": name, **constant, **camera_table(camera, "m")}
        for port, (name, camera) in enumerate(cameras.items())
    }
    write_toml(path, tables, comment, parent="cameras")


FORMAT = CalibrationFormat("Caliscope", (".toml",), read_toml, write)
