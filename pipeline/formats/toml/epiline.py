"""This pipeline's own `calibration.toml` (docs/footage.md): a table per camera, named after it; millimetres."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.formats.toml.camera_toml import camera_table, toml_format, write_toml
from pipeline.geometry.camera.model import Camera


def write(path: Path, cameras: Mapping[str, Camera], comment: str) -> None:
    """Write the cameras."""
    tables = {name: {"name": name, **camera_table(camera, "mm")} for name, camera in cameras.items()}
    write_toml(path, {**tables, "metadata": {"unit": "mm"}}, comment)


FORMAT = toml_format("this pipeline", write)
