"""OpenCV's calibration of a single camera, one file per camera and named after it: camera_matrix and its lens.

Extrinsics in such a file are those of the board in each image, so that only the intrinsics are read.
"""

from pathlib import Path

from pipeline.formats.calibration_format import CalibrationFormat, NamedCameras, make_camera
from pipeline.formats.opencv_storage import has_entry, open_storage
from pipeline.geometry.camera.model import Camera

ENDINGS = (".yml", ".yaml", ".xml")


def read(path: Path) -> NamedCameras:
    """The cameras of all such files in the folder."""
    files = sorted(file for file in path.parent.iterdir() if file.name.lower().endswith(ENDINGS))
    return [(file.stem, _camera(file)) for file in files if file.name[0] != "." and holds_cameras(file)]


def holds_cameras(path: Path) -> bool:
    """Whether the file has a camera matrix."""
    return has_entry(path, "camera_matrix")


FORMAT = CalibrationFormat("OpenCV (one camera)", ENDINGS, read, holds_cameras=holds_cameras, one_per_camera=True)


def _camera(path: Path) -> Camera:
    with open_storage(path) as storage:
        dist = storage.getNode("distortion_coefficients").mat()
        size = [storage.getNode(f"image_{side}").real() for side in ("width", "height")]
        fisheye = storage.getNode("fisheye_model").real() > 0
        return make_camera(
            storage.getNode("camera_matrix").mat(), [] if dist is None else dist, (size[0], size[1]), None, None,
            fisheye=fisheye,
        )  # fmt: skip
