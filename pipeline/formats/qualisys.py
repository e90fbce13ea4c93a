"""Qualisys Track Manager's calibration, exported as XML with the ending .qca or .qca.txt; millimetres."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from pipeline.formats.calibration_format import CalibrationFormat, NamedCameras, make_camera
from pipeline.geometry.camera.model import Camera

# Focal lengths and centres are in 64ths of a pixel. Distortion coefficients have no unit and are not
# scaled, which images of checkerboards confirm (some converters divide the coefficients by 64, too).
SUBPIXELS = 64.0
# The camera axes of the file's transform are x right, y up, z backward.
FLIP_Y_Z = np.diag([1.0, -1.0, -1.0])


def read(path: Path) -> NamedCameras:
    """The cameras that have intrinsics, named by their serial numbers.

    The file's transform is the camera's pose in the world: rotation from camera axes to world axes, and position.
    """
    elements = ElementTree.fromstring(path.read_bytes()).iter("camera")
    return [(str(e.attrib["serial"]), _camera(e)) for e in elements if e.find("intrinsic") is not None]


FORMAT = CalibrationFormat("Qualisys", (".qca.txt", ".qca"), read)


def _camera(element: ElementTree.Element) -> Camera:
    left, top, right, bottom = _numbers(element, "fov_video", "left", "top", "right", "bottom")
    centers = "focalLengthU", "focalLengthV", "centerPointU", "centerPointV", "skew"
    fx, fy, cx, cy, skew = _numbers(element, "intrinsic", *centers) / SUBPIXELS
    K = np.array([[fx, skew, cx - left], [0, fy, cy - top], [0, 0, 1]])
    radial = _numbers(element, "intrinsic", "radialDistortion1", "radialDistortion2", "radialDistortion3")
    tangential = _numbers(element, "intrinsic", "tangentalDistortion1", "tangentalDistortion2")  # Qualisys' spelling
    dist = [radial[0], radial[1], *tangential, radial[2]]
    axes = _numbers(element, "transform", *(f"r{i}{j}" for i in (1, 2, 3) for j in (1, 2, 3))).reshape(3, 3)
    R = FLIP_Y_Z @ axes
    center_world_mm = _numbers(element, "transform", "x", "y", "z")
    return make_camera(K, dist, (right - left + 1, bottom - top + 1), R, -R @ center_world_mm)


def _numbers(element: ElementTree.Element, tag: str, *names: str) -> np.ndarray:
    found = element.find(tag)
    if found is None:
        raise KeyError(tag)
    return np.array([float(found.attrib[name]) for name in names])
