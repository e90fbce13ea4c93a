"""One rig from pooled frames: accuracy of labels made without extrinsics, and the time to find the rig."""

import time
from dataclasses import dataclass

import numpy as np

from bench.geometry import ours
from bench.geometry.measure import FAILED_MM, Table, mean_or_failed
from bench.geometry.simulation import Capture, Scenes
from bench.geometry.sizes import NOISE_PX, OUTLIERS, Sizes
from pipeline.geometry.calibration.rig import Rig, RigNotFound
from pipeline.metrics import n_mpjpe, pa_mpjpe

NOTE = """Captures whose extrinsics are unknown, 5 px of noise and 5 % outliers unless stated: the rig's error (median
over captures, similarity-aligned), then the error of robust labels in mm with this rig and with the true one: PA-MPJPE,
and N-MPJPE in the cameras' frames. CPU seconds to find the rig, one thread. "none": captures without a rig; their
labels count as 150 mm off."""


@dataclass(frozen=True)
class Pooled:
    """Errors of a capture's self-calibrated rig, and of the labels made with it and with the true rig."""

    rotation_deg: float
    center_mm: float
    pa: tuple[float, float]  # self-calibrated rig, true rig
    n: tuple[float, float]
    cpu_s: float


def measure(capture: Capture) -> Pooled:
    """Calibrate and label a capture."""
    start = time.process_time()
    try:
        rig = ours.self_calibrated(capture)
    except RigNotFound:
        rig = None
    cpu_s = time.process_time() - start
    known = _label_errors(capture, None)
    own = (FAILED_MM, FAILED_MM) if rig is None else _label_errors(capture, rig)
    rotation_deg, center_mm = (np.nan, np.nan) if rig is None else ours.rig_errors(capture, rig.R, rig.t)
    return Pooled(rotation_deg, center_mm, (own[0], known[0]), (own[1], known[1]), cpu_s)


def _label_errors(capture: Capture, rig: Rig | None) -> tuple[float, float]:
    """Mean PA-MPJPE and, in the cameras' frames, N-MPJPE of robust labels."""
    R, t = (capture.R, capture.t) if rig is None else (rig.R, rig.t)
    points, truth = ours.robust(capture, rig), capture.joints_world_mm
    in_cameras = n_mpjpe(_in_cameras(points, R, t), _in_cameras(truth, capture.R, capture.t))
    return mean_or_failed(pa_mpjpe(points, truth)), mean_or_failed(in_cameras)


def _in_cameras(points: np.ndarray, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    return np.einsum("vij,fnj->fvni", R, points) + t[:, None]


def run(scenes: Scenes, sizes: Sizes) -> dict[str, float]:
    """Print the table and return its figures for the summary."""
    columns = ["frames", "deg", "center mm", "PA", "PA known", "N", "N known", "CPU s", "none"]
    table = Table("Pooled frames of an unmoved rig", NOTE, columns)
    ratio, cpu_s = {}, {}
    for n, captures in sizes.pooled.items():
        found = [measure(c) for c in scenes.film(captures, n, noise_px=NOISE_PX, outliers=OUTLIERS)]
        ratio[n], cpu_s[n] = _row(table, f"{n:,} spread", found)
    if sizes.full:
        _further(table, scenes, sizes.pooled[100])
    return {
        "self_over_known_n_100": ratio[100], "self_over_known_n_10": ratio[10], "rig_1000_cpu_s": cpu_s[1000],
    }  # fmt: skip


def _further(table: Table, scenes: Scenes, captures: int) -> None:
    """Print rows for other settings of the simulation."""
    usual = {"noise_px": NOISE_PX, "outliers": OUTLIERS}
    for n in (10, 100, 400):
        able = scenes.with_sequences_of(n)
        if able.people:
            shots = able.film(captures, n, consecutive=True, **usual)
            _row(table, f"{n} consecutive", [measure(capture) for capture in shots])
    for name, other in (
        ("8 px", {"noise_px": 8.0}),
        ("15 % outliers", {"outliers": 0.15}),
        ("exact", {"noise_px": 0.0, "outliers": 0.0}),
    ):
        shots = scenes.film(captures, 100, **(usual | other))
        _row(table, f"100 spread, {name}", [measure(capture) for capture in shots])


def _row(table: Table, name: str, found: list[Pooled]) -> tuple[float, float]:
    """Print a row; return the mean N-MPJPE over the one with the true rig, and the median CPU time to find a rig."""
    pa, n = (np.mean([getattr(one, key) for one in found], axis=0) for key in ("pa", "n"))
    none = sum(np.isnan(one.rotation_deg) for one in found)
    deg, mm = (float(np.nanmedian([getattr(one, key) for one in found])) for key in ("rotation_deg", "center_mm"))
    cpu_s = float(np.median([one.cpu_s for one in found]))
    table.row(name, deg, mm, *(f"{x:.2f}" for x in (*pa, *n)), cpu_s, f"{none} of {len(found)}")
    return float(n[0] / n[1]), cpu_s
