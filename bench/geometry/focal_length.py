"""The effect of a wrong or unknown focal length on a rig found from people and on its labels."""

from dataclasses import replace

import numpy as np

from bench.geometry import ours
from bench.geometry.measure import Table, mean_or_failed
from bench.geometry.simulation import Capture, Scenes
from bench.geometry.sizes import NOISE_PX, OUTLIERS, Sizes
from pipeline.geometry.calibration.focal_prior import EXACT, Focal
from pipeline.geometry.calibration.rig import RigNotFound
from pipeline.labels.self_calibrated_rig import FOCAL
from pipeline.metrics import pa_mpjpe

NOTE = """1,000 spread frames, 5 px of noise, 5 % outliers: errors of the rig and of the focal length (medians over
captures), and PA-MPJPE in mm of robust labels (mean). Refined: a factor for each camera, with the priors of the
pipeline."""

WRONG = 1.1
SETTINGS = {
    "given, exact": (1.0, EXACT),
    "given 10 % too long, kept": (WRONG, EXACT),
    "given 10 % too long, refined": (WRONG, FOCAL["approximate"]),
    "unknown": (WRONG, FOCAL["unknown"]),
}


def run(scenes: Scenes, sizes: Sizes) -> dict[str, float]:
    """Print the table; the summary has no figures of it."""
    if sizes.full:
        table = Table("Focal length", NOTE, ["focal length", "deg", "center mm", "focal %", "PA", "none"])
        captures = scenes.film(sizes.pooled[1000], 1000, noise_px=NOISE_PX, outliers=OUTLIERS)
        for name, (factor, focal) in SETTINGS.items():
            _row(table, name, [with_wrong_focal(capture, factor) for capture in captures], factor, focal)
    return {}


def with_wrong_focal(capture: Capture, factor: float) -> Capture:
    """The same capture, with given focal lengths that are `factor` times the true ones."""
    longer = np.array([[factor, 1, 1], [1, factor, 1], [1, 1, 1]])
    return replace(capture, cameras=[replace(camera, K=camera.K * longer) for camera in capture.cameras])


def _row(table: Table, name: str, captures: list[Capture], factor: float, focal: Focal) -> None:
    rows, errors = [], []
    for capture in captures:
        try:
            rig = ours.self_calibrated(capture, focal)
        except RigNotFound:
            errors.append(np.full(len(capture.px), np.nan))
            continue
        # The factors found are relative to the given focal lengths.
        off = np.sqrt(((rig.focal_scale * factor - 1) ** 2).mean())
        rows.append([*ours.rig_errors(capture, rig.R, rig.t), 100 * off])
        errors.append(pa_mpjpe(ours.robust(capture, rig), capture.joints_world_mm))
    middle = np.median(rows, axis=0) if rows else [None] * 3
    table.row(name, *middle, mean_or_failed(np.concatenate(errors)), f"{len(captures) - len(rows)} of {len(captures)}")
