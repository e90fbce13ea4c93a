"""Pose2Sim's `Calib_*.toml`: a table per camera, named after it; metres."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.formats.toml.camera_toml import camera_table, toml_format, write_toml
from pipeline.geometry.camera.model import Camera


def write(path: Path, cameras: Mapping[str, Camera], comment: str) -> None:
    """Write the cameras as Pose2Sim's own calibration does."""
    tables = {name: {"name": name, **camera_table(camera, "m")} for name, camera in cameras.items()}
    write_toml(path, {**tables, "metadata": {"adjusted": False, "error": 0.0}}, comment)


FORMAT = toml_format("Pose2Sim", write)
