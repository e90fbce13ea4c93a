"""Finds the calibration of a folder: by the names of the files, and by what they hold."""

import logging
from pathlib import Path

import numpy as np

from pipeline.errors import UserError
from pipeline.formats import opencap
from pipeline.formats.calibration import Calibration, format_of, read_calibration
from pipeline.formats.calibration_format import CalibrationFormat
from pipeline.geometry.camera.model import Camera

log = logging.getLogger("epiline")

SAME = 1e-3  # relative difference that rounded numbers may cause


def find_calibration(folder: Path) -> Calibration | None:
    """The calibration of a folder; None if the folder has none.

    Of several files with the same cameras, such as one and its conversion, the one that says most is taken; files of
    other formats go before TOML, which most conversions write. Hidden files and files without cameras are ignored.
    Raises UserError if several files differ, and if the file cannot be understood.
    """
    paths = _candidates(folder)
    if len(paths) < 2:
        return read_calibration(paths[0]) if paths else None
    found = [_try_read(path) for path in paths]
    read = sorted((one for one in found if one is not None), key=_priority)
    if len(read) < len(found) or not all(_covers(read[0], other) for other in read[1:]):
        contents = ", ".join(f"{path.name} ({_content(one)})" for path, one in zip(paths, found, strict=True))
        raise UserError(f"{folder} holds several calibration files: {contents}", fix="Keep one.")
    others = ", ".join(other.path.name for other in read[1:])
    log.info("%s is used; %s has no other cameras", read[0].path.name, others)
    return read[0]


def files_without_cameras(folder: Path) -> list[str]:
    """The names of the files that have a calibration's ending and hold no cameras."""
    return [path.name for path, form in _known_files(folder) if not form.holds_cameras(path)]


def _candidates(folder: Path) -> list[Path]:
    known = [(path, form) for path, form in _known_files(folder) if form.holds_cameras(path)]
    known += [(path, opencap.FORMAT) for path in sorted(folder.glob(f"[!.]*/{opencap.FILE_NAME}"))]
    # Of a format with a file per camera, the first file stands for all.
    first = {form.programs: path for path, form in reversed(known) if form.one_per_camera}
    return [path for path, form in known if first.get(form.programs, path) == path]


def _known_files(folder: Path) -> list[tuple[Path, CalibrationFormat]]:
    visible = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return [(path, form) for path in visible if (form := format_of(path)) is not None]


def _try_read(path: Path) -> Calibration | None:
    try:
        return read_calibration(path)
    except UserError:
        return None


def _priority(one: Calibration) -> tuple[int, int, bool, str]:
    cameras = one.cameras.values()
    n_posed = sum(camera.has_extrinsics for camera in cameras)
    return -len(cameras), -n_posed, one.path.suffix.lower() == ".toml", one.path.name


def _covers(one: Calibration, other: Calibration) -> bool:
    """Whether all that `other` says of its cameras is said by `one`, distortion apart, which converters change."""
    return all(name in one.cameras and _agree(one.cameras[name], camera) for name, camera in other.cameras.items())


def _agree(one: Camera, other: Camera) -> bool:
    if not np.allclose(one.K, other.K, rtol=SAME):
        return False
    if other.R_cam_from_world is None or other.t_cam_from_world_mm is None:
        return True
    if one.R_cam_from_world is None or one.t_cam_from_world_mm is None:
        return False
    allowed_mm = SAME * max(1.0, float(np.linalg.norm(other.t_cam_from_world_mm)))
    return bool(
        np.allclose(one.R_cam_from_world, other.R_cam_from_world, atol=SAME)
        and np.allclose(one.t_cam_from_world_mm, other.t_cam_from_world_mm, atol=allowed_mm)
    )


def _content(one: Calibration | None) -> str:
    if one is None:
        return "cannot be read"
    n_posed = sum(camera.has_extrinsics for camera in one.cameras.values())
    return f"{len(one.cameras)} cameras, {n_posed} of them with extrinsics"
