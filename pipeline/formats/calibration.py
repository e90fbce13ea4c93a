"""Calibration files of any known format: finds, reads, checks and writes them."""

import logging
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import cv2

from pipeline.errors import UserError
from pipeline.formats import anipose, caliscope, epiline, opencv_yaml, pose2sim, qualisys
from pipeline.formats.calibration_checks import check_camera, check_distances, have_extrinsics
from pipeline.formats.calibration_format import CalibrationFormat, refuse_existing
from pipeline.geometry.camera.model import Camera

log = logging.getLogger("epiline")

# Adding a format is one file and one line here. A file is read by the first format whose ending its name has.
FORMATS: dict[str, CalibrationFormat] = {
    "epiline": epiline.FORMAT,
    "pose2sim": pose2sim.FORMAT,
    "anipose": anipose.FORMAT,
    "caliscope": caliscope.FORMAT,
    "opencv": opencv_yaml.FORMAT,
    "qualisys": qualisys.FORMAT,
}
ENDINGS = tuple(dict.fromkeys(ending for known in FORMATS.values() for ending in known.endings))
WRITABLE = tuple(name for name, known in FORMATS.items() if known.write)


def find_calibration(folder: Path) -> Path | None:
    """The calibration file of a folder; None if the folder has none.

    Raises UserError if there are several.
    """
    found = sorted(path for path in folder.iterdir() if path.is_file() and _format_of(path) is not None)
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise UserError(f"{folder} holds several calibration files: {names}", fix="Keep one.")
    return found[0] if found else None


def read_calibration(path: Path) -> dict[str, Camera]:
    """The cameras of a calibration file by name; extrinsics only if every camera has them.

    Raises UserError if the file cannot be understood.
    """
    known = _format_of(path)
    if known is None:
        raise UserError(f"{path} is not a known calibration file", fix=f"Known are {', '.join(ENDINGS)}.")
    try:
        named = known.read(path)
    # OpenCV's YAML reader raises SystemError if its constructor fails.
    except (ValueError, KeyError, TypeError, ElementTree.ParseError, cv2.error, SystemError) as error:
        what = f"{path} cannot be read as a calibration: {type(error).__name__}: {error}"
        raise UserError(what, fix="Export it again, or compare it with docs/footage.md.") from None
    cameras: dict[str, Camera] = {}
    for name, camera in named:
        if name in cameras:
            raise UserError(f"{path} holds two cameras named {name}", fix="Give each camera its own name.")
        check_camera(camera, name, path)
        cameras[name] = camera
    if not cameras:
        raise UserError(f"{path} holds no camera", fix="Compare it with docs/footage.md.")
    return _with_extrinsics_of_all_or_none(cameras, path)


def write_calibration(path: Path, cameras: Mapping[str, Camera], form: str, comment: str = "") -> None:
    """Write named cameras to a file of one of the WRITABLE formats, with a comment; extrinsics if they are known.

    Existing files are not overwritten, as they may be the calibration of other footage. Raises UserError for a file
    name that the format does not allow, and if the file exists.
    """
    known = FORMATS[form]
    if known.write is None:
        raise UserError(f"The format {form} is only read", fix=f"Choose one of {', '.join(WRITABLE)}.")
    if not known.has_name(path):
        fix = f"Let its name end with {' or '.join(known.endings)}."
        raise UserError(f"{path} is not a valid file name for the format {form}", fix=fix)
    refuse_existing(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    known.write(path, cameras, comment)


def _format_of(path: Path) -> CalibrationFormat | None:
    return next((known for known in FORMATS.values() if known.has_name(path)), None)


def _with_extrinsics_of_all_or_none(cameras: dict[str, Camera], path: Path) -> dict[str, Camera]:
    if have_extrinsics(cameras.values()):
        check_distances(cameras, path)
        return cameras
    incomplete = [name for name, camera in cameras.items() if not camera.has_extrinsics]
    if 0 < len(incomplete) < len(cameras):
        log.warning("%s: all extrinsics are ignored, as %s has none", path, ", ".join(incomplete))
    return {name: camera.with_extrinsics(None, None) for name, camera in cameras.items()}
