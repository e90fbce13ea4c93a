"""Cameras to be written and read back, for the tests of the formats."""

import cv2
import numpy as np

from pipeline.geometry.camera.model import Camera

DIST = np.array([-0.2, 0.1, 0.001, -0.002, 0.03])
# The camera of the files that are written as text here.
FILE_K = np.array([[100.0, 0, 47.5], [0, 101, 31.5], [0, 0, 1]])
FILE_R = cv2.Rodrigues(np.array([0.1, 0.2, 0.3]))[0]
FILE_T_M = np.array([0.1, 0.2, 3.0])


def rig(n: int = 3) -> dict[str, Camera]:
    """Cameras cam_0, cam_1, ... of different focal lengths and extrinsics."""
    cameras = {}
    for v in range(n):
        K = np.array([[1000.0 + v, 0, 500], [0, 1000, 480], [0, 0, 1]])
        R = cv2.Rodrigues(np.array([0.1, 2.0 * v / n, 0.2]))[0]
        cameras[f"cam_{v}"] = Camera(K, DIST, (1000, 960), R, np.array([100.0 * v, -50, 3000 + 40 * v]))
    return cameras


def toml(names: tuple[str, ...] = ("cam1", "cam2"), extrinsics: bool = True, **changes: object) -> str:
    """A calibration in TOML: a table per camera, some of whose entries may be changed."""
    tables = []
    for i, name in enumerate(names):
        table: dict[str, object] = {
            "name": f'"{name}"',
            "size": "[96.0, 64.0]",
            "matrix": FILE_K.tolist(),
            "distortions": "[0.1, 0.0, 0.0, 0.0]",
        }
        if extrinsics:
            table |= {"rotation": [0.1, 0.2, 0.3], "translation": (FILE_T_M + i).tolist()}
        tables += [f"[cam_{i}]", *(f"{key} = {value}" for key, value in {**table, **changes}.items()), ""]
    return "\n".join([*tables, "[metadata]", "error = 0.1"])
