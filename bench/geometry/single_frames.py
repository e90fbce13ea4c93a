"""Each frame calibrated on its own: the paper's method with several estimators, and all cameras jointly."""

import time
from collections.abc import Callable

import numpy as np

from bench.geometry import ours
from bench.geometry.measure import FAILED_MM, Table
from bench.geometry.simulation import Capture, Scenes
from bench.geometry.sizes import NOISE_PX, OUTLIERS, Sizes
from bench.peers import opencv, pose_lib
from pipeline.metrics import pa_mpjpe

try:
    from bench.peers import colmap
except ImportError:
    colmap = None  # type: ignore[assignment]

NOTE = """No extrinsics, nothing pooled over time: median PA-MPJPE in mm / frames that fail in %: no rig, or more than
150 mm off. Other libraries: an estimate for each of the three consecutive pairs, optimal triangulation, the geometric
median of the three. Frames per second of CPU time, one thread; other libraries run in a loop over frames and pairs."""

Estimator = Callable[[np.ndarray, np.ndarray, np.ndarray, float], opencv.Pose | None]
SETTINGS = {"s=0": (0.0, 0.0), "s=2": (2.0, 0.0), "s=5": (5.0, 0.0), "s=5, 5 % outl.": (NOISE_PX, OUTLIERS)}


def estimators() -> dict[str, Estimator]:
    """Estimators of the relative pose of two views whose libraries are installed."""
    found: dict[str, Estimator] = {
        "OpenCV F RANSAC 3 px (the paper)": opencv.fundamental_ransac,
        "OpenCV F LMedS, integer pixels (released code)": opencv.fundamental_lmeds,
        "OpenCV E five-point USAC_ACCURATE": opencv.essential_usac,
        "PoseLib five-point LO-RANSAC, 100 iterations": pose_lib.five_point,
    }
    if colmap is not None:
        found["pycolmap five-point LO-RANSAC"] = colmap.five_point
    return found


def from_pairs(capture: Capture, estimator: Estimator) -> np.ndarray:
    """Joints (F, J, 3) of each frame in its first camera, of unit size about their middle; NaN where a pair fails."""
    made = np.full_like(capture.joints_world_mm, np.nan)
    for f in range(len(made)):
        found, R_first = [], np.eye(3)  # rotation of the pair's first camera from the rig's first camera
        for a in range(len(capture.cameras) - 1):
            pair = slice(a, a + 2)
            pose = estimator(capture.px[f, a], capture.px[f, a + 1], capture.K[pair], capture.noise_px)
            if pose is None:
                break
            points = (
                opencv.triangulate_pair(capture.points_norm[f, :, a], capture.points_norm[f, :, a + 1], pose) @ R_first
            )
            points = points - points.mean(0)
            found.append(points / np.linalg.norm(points))
            R_first = pose[0] @ R_first
        else:
            made[f] = opencv.geometric_median(np.stack(found))
    return made


def run(scenes: Scenes, sizes: Sizes) -> dict[str, float]:
    """Print the table and return its figures for the summary."""
    settings = SETTINGS if sizes.full else dict(list(SETTINGS.items())[-1:])
    shots = {
        name: scenes.film(sizes.captures, sizes.single_frames, noise_px=noise_px, outliers=outliers)
        for name, (noise_px, outliers) in settings.items()
    }
    table = Table("One frame at a time", NOTE, ["per pair unless stated", *settings, "frames/s"])
    for name, estimator in estimators().items():
        _row(table, name, shots, lambda capture, e=estimator: from_pairs(capture, e))
    joint = _row(table, "ours: all cameras of the frame jointly", shots, ours.frame_by_frame)
    known = _row(table, "extrinsics known, ours: robust", shots, ours.robust)
    return {"frame_over_known_pa": float(joint.mean() / known.mean())}


def _row(
    table: Table, name: str, shots: dict[str, list[Capture]], label: Callable[[Capture], np.ndarray]
) -> np.ndarray:
    """Print a row; return the errors of all frames in the last setting; a frame without a rig counts as failed."""
    cells, n, start = [], 0, time.process_time()
    for captures in shots.values():
        errors = np.concatenate([pa_mpjpe(label(capture), capture.joints_world_mm) for capture in captures])
        errors = np.where(np.isfinite(errors), errors, FAILED_MM)
        cells.append(f"{np.median(errors):.1f} / {100 * (errors >= FAILED_MM).mean():.1f}")
        n += len(errors)
    table.row(name, *cells, n / (time.process_time() - start))
    return errors
