"""Anipose's `calibration.toml`: tables cam_0, cam_1, ...; written in millimetres. FreeMoCap writes the same.

Anipose's unit of length is the unit of its calibration board, usually millimetres, and its own files do not name it.
"""

from collections.abc import Mapping
from pathlib import Path

from pipeline.formats.toml.camera_toml import camera_table, toml_format, write_toml
from pipeline.geometry.camera.model import Camera


def write(path: Path, cameras: Mapping[str, Camera], comment: str) -> None:
    """Write the cameras as aniposelib's `CameraGroup.dump` does."""
    tables = {f"cam_{i}": {"name": name, **camera_table(c, "mm")} for i, (name, c) in enumerate(cameras.items())}
    write_toml(path, {**tables, "metadata": {"adjusted": False, "error": 0.0, "unit": "mm"}}, comment)


FORMAT = toml_format("Anipose", write)
