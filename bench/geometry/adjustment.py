"""Bundle adjustment of a rig, compared with pycolmap's from the same start."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.geometry import ours
from bench.geometry.measure import Table
from bench.geometry.simulation import Capture, Scenes
from bench.geometry.sizes import NOISE_PX, OUTLIERS, Sizes
from pipeline.geometry.calibration import bundle
from pipeline.geometry.calibration.gauge import rotation_of
from pipeline.geometry.triangulation import methods as triangulation

try:
    from bench.peers import colmap
except ImportError:
    colmap = None  # type: ignore[assignment]

NOTE = """Cameras and joints of 1,000 frames together, 5 px of noise, 5 % outliers, from the same start: true cameras
rotated by 1 deg and moved by 50 mm, joints triangulated robustly from them. Errors at the end (mean over captures,
similarity-aligned) and median CPU seconds of the adjustment alone, one thread. Losses: Geman-McClure (ours), Cauchy of
one standard deviation (pycolmap's Ceres)."""

TURN_RAD, MOVE_MM = np.radians(1.0), 50.0


@dataclass(frozen=True)
class InitialRig:
    """A capture, a perturbed rig, and the points triangulated with this rig."""

    capture: Capture
    R: np.ndarray  # (V, 3, 3)
    t: np.ndarray  # (V, 3)
    points: np.ndarray  # (N, 3)

    @classmethod
    def of(cls, capture: Capture, seed: int) -> "InitialRig":
        """Rotate and move every camera by the same amount, each about its own random axis and direction."""
        rng = np.random.default_rng(seed)
        V = len(capture.cameras)
        axis = rng.normal(size=(2, V, 3))
        axis /= np.linalg.norm(axis, axis=-1, keepdims=True)
        R = rotation_of(TURN_RAD * axis[0]) @ capture.R
        t = -np.einsum("vij,vj->vi", R, capture.centers + MOVE_MM * axis[1])
        return cls(capture, R, t, triangulation.robust(*_flat(capture), R, t))


Adjuster = Callable[[InitialRig], tuple[np.ndarray, np.ndarray, float]]  # R (V, 3, 3), t (V, 3), CPU s


def _flat(capture: Capture) -> tuple[np.ndarray, np.ndarray]:
    V = len(capture.cameras)
    return capture.points_norm.reshape(-1, V, 2), capture.sigma.reshape(-1, V)


def adjust_here(start: InitialRig) -> tuple[np.ndarray, np.ndarray, float]:
    """The project's adjustment, with the kernel scales of the last adjustment of a rig."""
    points_norm, sigma = _flat(start.capture)
    began = time.process_time()
    done = bundle.adjust(points_norm, sigma, start.R, start.t, start.points, bundle.FINAL_WIDTHS)
    return done.R, done.t, time.process_time() - began


def run(scenes: Scenes, sizes: Sizes) -> dict[str, float]:
    """Print the table and return its figures for the summary."""
    [(frames, captures)] = sizes.adjusted.items()
    shots = scenes.film(captures, frames, noise_px=NOISE_PX, outliers=OUTLIERS)
    starts = [InitialRig.of(capture, seed) for seed, capture in enumerate(shots)]
    table = Table("Bundle adjustment from the same start", NOTE, ["", "deg", "center mm", "CPU s"])
    _row(table, "the start", starts, lambda start: (start.R, start.t, 0.0))
    adjust_here(starts[0])  # to warm up
    ours_s = _row(table, "ours", starts, adjust_here)
    figures = {}
    if colmap is not None:
        theirs = _row(table, "pycolmap", starts, lambda s: colmap.adjust(s.capture, s.R, s.t, s.points))
        figures["rig_over_pycolmap"] = theirs / ours_s
    return figures


def _row(table: Table, name: str, starts: list[InitialRig], adjuster: Adjuster) -> float:
    """Print a row and return the median CPU time."""
    found = [adjuster(start) for start in starts]
    errors = [ours.rig_errors(start.capture, R, t) for start, (R, t, _) in zip(starts, found, strict=True)]
    cpu_s = float(np.median([seconds for *_, seconds in found]))
    table.row(name, *np.mean(errors, axis=0), cpu_s)
    return cpu_s
