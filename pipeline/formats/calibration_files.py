"""Calibration files of other programs, read as cameras: TOML (Pose2Sim, Anipose, Caliscope), OpenCV's YAML, Qualisys.

Each reader turns one file into named cameras with the project's conventions (`pipeline.geometry.camera`).
"""

import tomllib
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np

from pipeline.errors import UserError
from pipeline.geometry.camera.model import Camera

# The size of a camera whose file does not say it: that of its video.
UNSAID = (0, 0)
MM_PER_M = 1000.0
# The units a TOML file may name as `unit` under [metadata]; the translations of one that does not are metres.
UNITS_MM = {"m": MM_PER_M, "mm": 1.0}
# Cameras of one rig stand so far apart, in mm; anything else is in another unit.
APART_MM = (20.0, 200_000.0)
# Rounded numbers may make a rotation matrix off by so much.
ROUNDING = 1e-3
DISTORTION_LENGTHS = (0, 4, 5, 8, 12, 14)  # OpenCV's models
FISHEYE_LENGTH = 4


def find_calibration(folder: Path) -> Path | None:
    """The calibration file of a folder, None if it has none.

    Raises UserError where there are several.
    """
    found = sorted(path for path in folder.iterdir() if path.is_file() and _reader_of(path) is not None)
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise UserError(f"{folder} holds several calibration files: {names}", fix="Keep one.")
    return found[0] if found else None


def read_calibration(path: Path) -> dict[str, Camera]:
    """The cameras of a calibration file by name; extrinsics only if every camera has them.

    Raises UserError where the file cannot be understood.
    """
    reader = _reader_of(path)
    if reader is None:
        raise UserError(f"{path} is no known calibration file", fix=f"Known are {', '.join(READERS)}.")
    try:
        named = reader(path)
    # OpenCV's YAML reader raises SystemError where its constructor fails.
    except (ValueError, KeyError, TypeError, ElementTree.ParseError, cv2.error, SystemError) as error:
        what = f"{path} cannot be read as a calibration: {type(error).__name__}: {error}"
        raise UserError(what, fix="Export it again, or compare it with docs/footage.md.") from None
    cameras: dict[str, Camera] = {}
    for name, camera in named:
        if name in cameras:
            raise UserError(f"{path} holds two cameras named {name}", fix="Give each camera its own name.")
        _check(camera, name, path)
        cameras[name] = camera
    if not cameras:
        raise UserError(f"{path} holds no camera", fix="Compare it with docs/footage.md.")
    if not _have_places(cameras.values()):
        return {name: camera.with_extrinsics(None, None) for name, camera in cameras.items()}
    _check_distances(cameras, path)
    return cameras


def _reader_of(path: Path) -> Callable[[Path], list[tuple[str, Camera]]] | None:
    name = path.name.lower()
    return next((reader for end, reader in READERS.items() if name.endswith(end)), None)


def _have_places(cameras: Collection[Camera]) -> bool:
    """Whether every camera has extrinsics; files with intrinsics alone may put all cameras at the origin."""
    places = [c.t_cam_from_world_mm for c in cameras if c.R_cam_from_world is not None]
    known = [t for t in places if t is not None and np.isfinite(t).all()]
    if len(known) < len(cameras):
        return False
    return len(known) == 1 or any(not np.array_equal(t, known[0]) for t in known)


def _check(camera: Camera, name: str, path: Path) -> None:
    K, n = camera.K, len(camera.dist)
    wrong = None
    if K.shape != (3, 3) or not np.isfinite(K).all() or min(K[0, 0], K[1, 1]) <= 0 or not np.allclose(K[2], (0, 0, 1)):
        wrong = f"has no camera matrix with positive focal lengths: {K.tolist()}"
    elif n not in DISTORTION_LENGTHS or not np.isfinite(camera.dist).all():
        wrong = f"has {n} distortion coefficients; OpenCV has {', '.join(map(str, DISTORTION_LENGTHS))}"
    elif camera.fisheye and n != FISHEYE_LENGTH:
        wrong = f"has {n} distortion coefficients; OpenCV's fisheye model has {FISHEYE_LENGTH}"
    elif camera.size_px != UNSAID and min(camera.size_px) < 1:
        wrong = f"has the size {camera.size_px}"
    elif camera.R_cam_from_world is not None and not _is_rotation(camera.R_cam_from_world):
        wrong = f"has a rotation matrix that is none: {camera.R_cam_from_world.tolist()}"
    if wrong:
        raise UserError(f"Camera {name} {wrong}", where=str(path), fix="Correct the file or calibrate again.")


def _is_rotation(R: np.ndarray) -> bool:
    # Not known is no error: the camera has no extrinsics then.
    off = np.abs(R @ R.T - np.eye(3)).max()
    return bool(np.isnan(off) or (off < ROUNDING and np.linalg.det(R) > 0))


def _check_distances(cameras: dict[str, Camera], path: Path) -> None:
    centers = np.stack([camera.center_world_mm for camera in cameras.values()])
    apart_mm = float(np.linalg.norm(centers[:, None] - centers, axis=-1).max())
    if len(cameras) > 1 and not APART_MM[0] <= apart_mm <= APART_MM[1]:
        fix = 'Translations are metres, unless a TOML file says unit = "mm" under [metadata].'
        raise UserError(f"The cameras stand up to {apart_mm / MM_PER_M:g} m apart", where=str(path), fix=fix)


def _camera(K: Any, dist: Any, size_px: Any, rotation: Any, translation_mm: Any) -> Camera:
    """A camera of plain numbers; the rotation is a matrix or a rotation vector."""
    R = t = None
    if rotation is not None and translation_mm is not None:
        R = np.array(rotation, float)
        R = R if R.shape == (3, 3) else cv2.Rodrigues(R.reshape(3))[0]
        t = np.array(translation_mm, float).reshape(3)
    width, height = (int(n) for n in size_px)
    return Camera(np.array(K, float), np.array(dist, float).reshape(-1), (width, height), R, t)


def _read_toml(path: Path) -> list[tuple[str, Camera]]:
    """One table per camera: name, size, matrix, distortions, fisheye, rotation (vector), translation (in UNITS_MM)."""
    cameras = []
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    unit = tables.get("metadata", {}).get("unit", "m")
    if unit not in UNITS_MM:
        raise UserError(f"unit = {unit!r} is not known", where=str(path), fix=f"Known are {', '.join(UNITS_MM)}.")
    # Caliscope's lie one table deeper and have numbers, after which it names its videos.
    numbered = {f"port_{number}": table for number, table in tables.get("cameras", {}).items()}
    for section, table in {**tables, **numbered}.items():
        if not isinstance(table, dict) or "matrix" not in table:
            continue
        name = str(table.get("name", section))
        translation = table.get("translation")
        t_mm = None if translation is None else UNITS_MM[unit] * np.array(translation, float)
        dist, size = table.get("distortions", []), table.get("size", UNSAID)
        camera = _camera(table["matrix"], dist, size, table.get("rotation"), t_mm)
        cameras.append((name, replace(camera, fisheye=bool(table.get("fisheye", False)))))
    return cameras


def _read_yaml(path: Path) -> list[tuple[str, Camera]]:
    """`intri.yml` (names, K_NAME, dist_NAME) and, beside it, `extri.yml` (Rot_NAME or R_NAME, T_NAME in metres)."""
    intrinsics = cv2.FileStorage(str(path), cv2.FILE_STORAGE_READ)
    extrinsics_path = path.with_name(path.name.lower().replace("intri", "extri"))
    extrinsics = cv2.FileStorage(str(extrinsics_path), cv2.FILE_STORAGE_READ) if extrinsics_path.exists() else None
    cameras = []
    for name in _names(intrinsics):
        K, dist = intrinsics.getNode(f"K_{name}").mat(), intrinsics.getNode(f"dist_{name}").mat()
        if K is None:
            raise KeyError(f"K_{name}")
        size = [int(intrinsics.getNode(f"{side}_{name}").real()) for side in "WH"]
        rotation = translation = None
        if extrinsics is not None:
            rotations = [extrinsics.getNode(f"{key}_{name}").mat() for key in ("Rot", "R")]
            rotation = next((R for R in rotations if R is not None), None)
            translation = extrinsics.getNode(f"T_{name}").mat()
        t_mm = None if translation is None else MM_PER_M * translation
        cameras.append((name, _camera(K, [] if dist is None else dist, size, rotation, t_mm)))
    return cameras


def _names(storage: cv2.FileStorage) -> list[str]:
    names = storage.getNode("names")
    if not names.isSeq():
        raise KeyError("names")
    nodes = [names.at(i) for i in range(names.size())]
    return [node.string() if node.isString() else str(int(node.real())) for node in nodes]


# Qualisys counts pixels in 64ths; its distortion coefficients have no unit and stay as they are, as pictures
# of checkerboards confirm (some converters divide them, too).
QUALISYS_SUBPIXELS = 64.0
# Its camera's axes: x right, y up, z backward.
QUALISYS_FLIP = np.diag([1.0, -1.0, -1.0])


def _read_qualisys(path: Path) -> list[tuple[str, Camera]]:
    """A Qualisys calibration: the transform turns camera axes into the world's and places the camera, in mm."""
    return [(str(element.attrib["serial"]), _qualisys_camera(element)) for element in _qualisys_elements(path)]


def _qualisys_elements(path: Path) -> list[ElementTree.Element]:
    cameras = ElementTree.fromstring(path.read_bytes()).iter("camera")
    return [element for element in cameras if element.find("intrinsic") is not None]


def _qualisys_camera(element: ElementTree.Element) -> Camera:
    def numbers(tag: str, *names: str) -> np.ndarray:
        found = element.find(tag)
        if found is None:
            raise KeyError(tag)
        return np.array([float(found.attrib[name]) for name in names])

    left, top, right, bottom = numbers("fov_video", "left", "top", "right", "bottom")
    fx, fy, cx, cy, skew = (
        numbers("intrinsic", "focalLengthU", "focalLengthV", "centerPointU", "centerPointV", "skew")
        / QUALISYS_SUBPIXELS
    )
    K = np.array([[fx, skew, cx - left], [0, fy, cy - top], [0, 0, 1]])
    radial = numbers("intrinsic", "radialDistortion1", "radialDistortion2", "radialDistortion3")
    tangential = numbers("intrinsic", "tangentalDistortion1", "tangentalDistortion2")
    axes = numbers("transform", *(f"r{i}{j}" for i in (1, 2, 3) for j in (1, 2, 3))).reshape(3, 3)
    R = QUALISYS_FLIP @ axes
    dist = [radial[0], radial[1], *tangential, radial[2]]
    size_px = (right - left + 1, bottom - top + 1)
    return _camera(K, dist, size_px, R, -R @ numbers("transform", "x", "y", "z"))


# What a calibration file's name ends with, and how it is read.
READERS: dict[str, Callable[[Path], list[tuple[str, Camera]]]] = {
    ".toml": _read_toml,
    "intri.yml": _read_yaml,
    "intri.yaml": _read_yaml,
    "intri.xml": _read_yaml,
    ".qca.txt": _read_qualisys,
    ".qca": _read_qualisys,
}
