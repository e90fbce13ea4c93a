"""OpenCap's `cameraIntrinsicsExtrinsics.pickle`, one in the folder of each camera (Cam0, Cam1, ...); millimetres.

A file may also lie directly in the folder, with the camera's name before that of the file. Rotation and translation
take points of the world, which is the calibration board, to the camera.
"""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.formats.calibration_format import CalibrationFormat, NamedCameras, make_camera
from pipeline.geometry.camera.model import Camera

FILE_NAME = "cameraIntrinsicsExtrinsics.pickle"
ENDING = FILE_NAME.lower()
# All that a pickled array refers to. Any other name in a pickle could run code.
ALLOWED = {
    *((f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


def read(path: Path) -> NamedCameras:
    """The cameras of all files beside this one or, of a file named as OpenCap does, of all folders beside its own."""
    if path.name.lower() == ENDING:
        files = sorted(path.parent.parent.glob(f"[!.]*/{FILE_NAME}"))
        return [(file.parent.name, _camera(file)) for file in files]
    files = sorted(file for file in path.parent.iterdir() if file.name.lower().endswith(ENDING))
    return [(file.name[: -len(ENDING)].rstrip("_-. "), _camera(file)) for file in files if file.name[0] != "."]


FORMAT = CalibrationFormat("OpenCap", (ENDING,), read, one_per_camera=True)


class _ArraysOnly(pickle.Unpickler):
    """Reads pickled arrays and nothing that could run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise ValueError(f"The file holds {module}.{name} and not only arrays")
        return super().find_class(module, name)


def _camera(path: Path) -> Camera:
    try:
        values = _ArraysOnly(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    except (pickle.UnpicklingError, EOFError, AttributeError, ImportError) as error:
        raise ValueError(f"{path.parent.name}/{path.name}: {error}") from None
    K = np.array(values["intrinsicMat"], float)
    return make_camera(
        K, values["distortion"], _size(values["imageSize"], K), values.get("rotation"), values.get("translation")
    )


def _size(stored: Any, K: np.ndarray) -> tuple[float, float]:
    """Width and height, which the program stores in either order: the order that centres the principal point."""
    a, b = np.array(stored, float).reshape(-1)[:2].tolist()
    off_center = [abs(K[0, 2] / width - 0.5) + abs(K[1, 2] / height - 0.5) for width, height in ((a, b), (b, a))]
    return (a, b) if off_center[0] < off_center[1] else (b, a)
