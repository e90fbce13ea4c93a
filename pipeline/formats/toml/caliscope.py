"""Caliscope's `camera_array.toml`: tables cameras.0, cameras.1, ...; metres.

The videos are called cam_0.mp4, ... after `cam_id`; in older versions port_0.mp4, ... after `port`.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from pipeline.formats.toml.camera_toml import camera_table, toml_format, write_toml
from pipeline.geometry.camera.model import Camera


def write(path: Path, cameras: Mapping[str, Camera], comment: str) -> None:
    """Write the cameras, with the numbers at the end of their names if these differ, else numbered in their order."""
    constant = {"rotation_count": 0, "error": 0.0, "ignore": False}
    tables = {
        str(number): {"cam_id": number, "port": number, "name": name, **constant, **camera_table(camera, "m")}
        for number, (name, camera) in zip(_numbers(list(cameras)), cameras.items(), strict=True)
    }
    write_toml(path, tables, comment, parent="cameras")


FORMAT = toml_format("Caliscope", write)


def _numbers(names: list[str]) -> list[int]:
    found = [int(match[0]) for name in names if (match := re.search(r"\d+$", name))]
    return found if len(set(found)) == len(names) else list(range(len(names)))
