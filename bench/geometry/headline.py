"""Labels made without extrinsics against those of the peers, who are given the true ones."""

import numpy as np

from bench.geometry import ours
from bench.geometry.known_rig import Call, here, there
from bench.geometry.measure import Table, mean_or_failed
from bench.geometry.simulation import Capture, Scenes
from bench.geometry.sizes import NOISE_PX, OUTLIERS, Sizes
from bench.peers import remote
from pipeline.geometry.rig import RigNotFound
from pipeline.metrics import pa_mpjpe

try:
    from bench.peers import colmap
except ImportError:
    colmap = None  # type: ignore[assignment]

NOTE = """PA-MPJPE in mm, mean over the same frames, 5 px of noise, 5 % outliers: ours calibrates its cameras from the
people and keeps to their own bone lengths; the peers are given the true extrinsics."""


def self_calibrated(capture: Capture) -> np.ndarray:
    """Points (F, J, 3) in the found rig's own unit; all NaN where there is none."""
    try:
        rig = ours.self_calibrated(capture)
    except RigNotFound:
        return np.full_like(capture.joints_world_mm, np.nan)
    return ours.robust_bones(capture, rig)


def run(scenes: Scenes, sizes: Sizes) -> dict[str, float]:
    """Print the table; the summary's figures of it."""
    captures = scenes.film(sizes.captures, sizes.frames, noise_px=NOISE_PX, outliers=OUTLIERS)
    table = Table("Without extrinsics against peers with them", NOTE, ["labels", "PA", "ours/it"])
    best = _error(here(self_calibrated), captures)
    table.row("ours: rig, robust + own bone lengths", best, None)
    table.row("ours, true rig: robust + own bone lengths", _error(here(ours.robust_bones), captures), None)
    peers: dict[str, tuple[str, Call]] = {}
    if colmap is not None:
        peers["self_best_over_pycolmap_pa"] = "pycolmap LO-RANSAC, true rig", here(colmap.robust)
    if remote.available():
        peers["self_best_over_pose2sim_pa"] = "Pose2Sim best cameras, true rig", there("pose2sim_best")
    figures = {}
    for key, (name, call) in peers.items():
        error = _error(call, captures)
        figures[key] = best / error
        table.row(name, error, figures[key])
    return figures


def _error(call: Call, captures: list[Capture]) -> float:
    """Mean over all frames; frames without labels count as failing ones."""
    points, _ = call(captures, 1)
    return mean_or_failed(
        np.concatenate([pa_mpjpe(p, c.joints_world_mm) for p, c in zip(points, captures, strict=True)])
    )
