"""Removing lens distortion from points: accuracy and speed compared with OpenCV."""

from collections.abc import Callable

import cv2
import numpy as np

from bench.geometry.measure import Table, cpu_seconds
from bench.geometry.simulation import FOCAL_PX, SIZE_PX, Scenes
from bench.geometry.sizes import Sizes
from pipeline.geometry.camera.model import project, undistort
from pipeline.skeleton import N_JOINTS

NOTE = """Pixels from the whole image are undistorted and projected again: the largest distance from the original pixel,
and frames of 17 joints in four views per second of CPU time, one thread. OpenCV takes five fixed-point steps by
default; "exact" iterates until a step is smaller than 1e-12."""

# Coefficients, in OpenCV's order, of a lens as strong as Human3.6M's, and the further ones of a wide-angle lens.
LENSES = {
    "5 coefficients": np.array([-0.2, 0.24, -0.001, -0.0015, -0.003]),
    "8 coefficients": np.array([0.3, 0.2, 0.001, -0.001, 0.02, 0.5, 0.25, 0.05]),
}
K = np.array([[FOCAL_PX, 0, SIZE_PX[0] / 2], [0, FOCAL_PX, SIZE_PX[1] / 2], [0, 0, 1.0]])
EXACT = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-12)


def run(_: Scenes, sizes: Sizes) -> dict[str, float]:
    """Print the table; the summary has no figures of it."""
    table = Table("Undistortion of points", NOTE, ["", "max px", "frames/s"])
    n = min(sizes.long_frames, 20_000)
    px = np.random.default_rng(0).uniform(0, SIZE_PX[0], (n, 4, N_JOINTS, 2))
    for lens, dist in LENSES.items():
        for name, function in _functions(dist).items():
            points_norm = function(px)
            again = project(np.concatenate([points_norm, np.ones_like(points_norm[..., :1])], -1), K, dist)
            rate = n / cpu_seconds(lambda: function(px), sizes.repeats)  # noqa: B023
            table.row(f"{lens}: {name}", float(np.abs(again - px).max()), rate)
    return {}


def _functions(dist: np.ndarray) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    def opencv(px: np.ndarray, **how) -> np.ndarray:
        return cv2.undistortPoints(px.reshape(-1, 1, 2), K, dist, **how).reshape(px.shape)

    return {
        "ours": lambda px: undistort(px, K, dist),
        "OpenCV, default": opencv,
        "OpenCV, exact": lambda px: opencv(px, criteria=EXACT),
    }
