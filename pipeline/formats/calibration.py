"""Calibration files of any known format: reads, checks and writes them."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import cv2

from pipeline.alerts import Alert
from pipeline.errors import UserError
from pipeline.formats import colmap, opencap, opencv_single, opencv_stereo, opencv_yaml, qualisys
from pipeline.formats.calibration_checks import check_intrinsics, has_rotation, have_extrinsics
from pipeline.formats.calibration_format import CalibrationFormat, refuse_existing
from pipeline.formats.length_unit import check_unit, infer_unit
from pipeline.formats.toml import anipose, caliscope, epiline, pose2sim
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
    "opencv_stereo": opencv_stereo.FORMAT,
    "colmap": colmap.FORMAT,
    "opencap": opencap.FORMAT,
    "opencv_single": opencv_single.FORMAT,
}
ENDINGS = tuple(dict.fromkeys(ending for known in FORMATS.values() for ending in known.endings))
WRITABLE = tuple(name for name, known in FORMATS.items() if known.write)


@dataclass(frozen=True)
class Calibration:
    """The cameras of a calibration file, each with the extrinsics that the file has."""

    path: Path
    cameras: dict[str, Camera]
    inferred: tuple[str, ...] = ()  # what the file does not say, and how it was taken
    alerts: tuple[Alert, ...] = ()
    has_names: bool = True  # whether the file names its cameras; else their order is all that identifies them

    def log_inferred(self) -> None:
        """Log what was inferred."""
        for one in self.inferred:
            log.info("%s: %s", self.path.name, one)


def format_of(path: Path) -> CalibrationFormat | None:
    """The format that reads a file, by its name; None for a name that no format has."""
    return next((known for known in FORMATS.values() if known.has_name(path)), None)


def read_calibration(path: Path) -> Calibration:
    """The cameras of a calibration file.

    Extrinsics that cannot be used are left out with an alert, as most modes of calibration need none.
    Raises UserError if the file cannot be understood.
    """
    known = format_of(path)
    if known is None:
        raise UserError(f"{path} is not a known calibration file", fix=f"Known are {', '.join(ENDINGS)}.")
    try:
        named = known.read(path)
        states_unit = known.states_unit(path)
    # OpenCV's YAML reader raises SystemError if its constructor fails.
    except (ValueError, KeyError, TypeError, IndexError, ElementTree.ParseError, cv2.error, SystemError) as error:
        what = f"{path} cannot be read as a calibration: {type(error).__name__}: {error}"
        raise UserError(what, fix="Export it again, or compare it with docs/footage.md.") from None
    cameras: dict[str, Camera] = {}
    for name, camera in named:
        name = re.sub(r"[/\\]", "_", name)  # views are named after their cameras, and files after their views
        if name in cameras:
            raise UserError(f"{path} holds two cameras named {name}", fix="Give each camera its own name.")
        check_intrinsics(camera, name, path)
        cameras[name] = camera
    if not cameras:
        raise UserError(f"{path} holds no camera", fix="Compare it with docs/footage.md.")
    cameras, alerts = _without_wrong_rotations(cameras, path)
    if states_unit:
        scaled = check_unit(cameras, path.name)
    else:
        scaled = infer_unit(cameras, path.name, has_scale=known.has_scale)
    return Calibration(path, scaled.cameras, scaled.inferred, (*alerts, *scaled.alerts), known.has_names)


def with_extrinsics_of_all_or_none(
    cameras: Mapping[str, Camera], file: str
) -> tuple[dict[str, Camera], tuple[Alert, ...]]:
    """Cameras of a file, without extrinsics unless all of them have some, and an alert if only some have."""
    if have_extrinsics(cameras.values()):
        return dict(cameras), ()
    without = {name: camera.with_extrinsics(None, None) for name, camera in cameras.items()}
    lacking = [name for name, camera in cameras.items() if not camera.has_extrinsics]
    if len(lacking) in (0, len(cameras)):
        return without, ()
    message = f"all extrinsics are left out, as {', '.join(lacking)} has none"
    mend = "Complete the file to use them. calibrate.mode: rig needs no extrinsics."
    return without, (Alert(kind="incomplete_extrinsics", severity="note", subject=file, message=message, mend=mend),)


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


def _without_wrong_rotations(cameras: dict[str, Camera], path: Path) -> tuple[dict[str, Camera], tuple[Alert, ...]]:
    """The cameras without the extrinsics whose rotation matrix is no rotation, and an alert that names them."""
    wrong = [name for name, camera in cameras.items() if not has_rotation(camera)]
    if not wrong:
        return cameras, ()
    alert = Alert(
        kind="wrong_extrinsics", severity="warning", subject=path.name,
        message=f"the extrinsics are left out, as the rotation of {', '.join(wrong)} is no rotation matrix",
        mend="Correct the file or calibrate again. calibrate.mode: rig needs no extrinsics.",
    )  # fmt: skip
    return {n: c.with_extrinsics(None, None) if n in wrong else c for n, c in cameras.items()}, (alert,)
