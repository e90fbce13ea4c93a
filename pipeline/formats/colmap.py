"""COLMAP's text model: `cameras.txt` and, beside it, `images.txt`, as https://colmap.github.io/format.html describes.

An image per camera: the camera's name is that of its image, or of the image's folder. COLMAP's poses take world points
to the camera; its unit of length is arbitrary. The centre of its top-left pixel is (0.5, 0.5).
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from pipeline.formats.calibration_format import CalibrationFormat, NamedCameras, find_beside, make_camera, never
from pipeline.geometry.camera.model import Camera

# The parameters of each model, in COLMAP's order. Zeros complete them to OpenCV's distortion.
MODELS = {
    "SIMPLE_PINHOLE": "f cx cy",
    "PINHOLE": "fx fy cx cy",
    "SIMPLE_RADIAL": "f cx cy k1",
    "RADIAL": "f cx cy k1 k2",
    "OPENCV": "fx fy cx cy k1 k2 p1 p2",
    "FULL_OPENCV": "fx fy cx cy k1 k2 p1 p2 k3 k4 k5 k6",
    "SIMPLE_RADIAL_FISHEYE": "f cx cy k1",
    "RADIAL_FISHEYE": "f cx cy k1 k2",
    "OPENCV_FISHEYE": "fx fy cx cy k1 k2 k3 k4",
}
OPENCV_ORDER = ["k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6"]
FISHEYE_ORDER = ["k1", "k2", "k3", "k4"]
PIXEL_CENTER = 0.5  # of COLMAP's top-left pixel


def read(path: Path) -> NamedCameras:
    """The cameras of all images, with their poses; without `images.txt`, all intrinsics, named by their ids."""
    intrinsics = {fields[0]: _intrinsics(fields) for fields in _lines(path)}
    images = find_beside(path, path.name[: -len("cameras.txt")] + "images.txt")
    if images is None:
        return list(intrinsics.items())
    poses = [line for line in _lines(images) if _is_image(line)]
    names = _camera_names([" ".join(fields[9:]) for fields in poses])
    return [(name, _posed(intrinsics[fields[8]], fields)) for name, fields in zip(names, poses, strict=True)]


def holds_cameras(path: Path) -> bool:
    """Whether a line of the file is a camera of COLMAP's."""
    return any(len(fields) > 4 and fields[0].isdigit() and fields[1].isupper() for fields in _lines(path))


FORMAT = CalibrationFormat(
    "COLMAP", ("cameras.txt",), read, holds_cameras=holds_cameras, states_unit=never, has_scale=False
)


def _lines(path: Path) -> Iterator[list[str]]:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.split()


def _is_image(fields: list[str]) -> bool:
    """Whether a line describes an image; every second line has the image's points (x, y, id) or is empty."""
    return len(fields) >= 10 and not _is_number(fields[9])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _intrinsics(fields: list[str]) -> Camera:
    model, width, height = fields[1], float(fields[2]), float(fields[3])
    if model not in MODELS:
        raise ValueError(f"The camera model {model} is not supported; supported are {', '.join(MODELS)}")
    values = dict(zip(MODELS[model].split(), map(float, fields[4:]), strict=True))
    fx, fy = (values[axis] if axis in values else values["f"] for axis in ("fx", "fy"))
    K = np.array([[fx, 0, values["cx"] - PIXEL_CENTER], [0, fy, values["cy"] - PIXEL_CENTER], [0, 0, 1]])
    fisheye = model.endswith("FISHEYE")
    order = FISHEYE_ORDER if fisheye else OPENCV_ORDER[: 8 if "k4" in values else 4]
    return make_camera(K, [values.get(key, 0.0) for key in order], (width, height), None, None, fisheye=fisheye)


def _posed(camera: Camera, fields: list[str]) -> Camera:
    w, x, y, z = np.array(fields[1:5], float) / np.linalg.norm(np.array(fields[1:5], float))
    R = np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip
    return camera.with_extrinsics(R, 1000.0 * np.array(fields[5:8], float))


def _camera_names(images: list[str]) -> list[str]:
    """The cameras' names: those of the images without their endings, or of the images' folders where these differ."""
    paths = [PurePosixPath(image) for image in images]
    folders = [path.parent.as_posix() for path in paths]
    stems = [path.with_suffix("").as_posix() if len(set(folders)) > 1 else path.stem for path in paths]
    names = folders if len(set(folders)) == len(folders) > 1 else stems
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        raise ValueError(f"There are several images of {twice[0]}; keep one image for each camera")
    return [name.replace("/", "_") for name in names]
