"""The figures of `reports/metrics.json`: how good the labels, the rig, the detector and the network are.

A figure that does not apply, for want of truth, of a known scale or of predictions, is absent.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline import metrics
from pipeline.capture import Capture
from pipeline.geometry.align import rig_error
from pipeline.geometry.triangulation.labelling import Status
from pipeline.report.data.measurements import WHOLE_POSE
from pipeline.report.data.report_data import ReportData
from pipeline.skeleton import N_JOINTS
from pipeline.stores import Store

# What metrics.json holds of each part; the whole table is in breakdown.csv.
OF_POSES = ("mpjpe_mm", "n_mpjpe_mm", "pa_mpjpe_mm", "bone_mm", "velocity_mm_s")
OF_PREDICTIONS = (*OF_POSES, "pck150", "n_pck150", "auc")
SHOWN = {
    "labels": (*OF_POSES, "reprojection_px"),
    "labels_known": OF_POSES,
    "test": OF_PREDICTIONS,
    "test_new_view": OF_PREDICTIONS,
    "test_labels": OF_POSES,
    "detector": ("error_px", "error_box_percent", "swap_percent", "found_percent", "pckh50", "oks"),
}
Figures = dict[str, Any]


def evaluate(report_data: ReportData, known: ReportData | None, rigs: Store, table: pd.DataFrame) -> Figures:
    """All figures but the costs, from the table of `measured`; all by the standard protocol."""
    figures: Figures = {part: part_figures(table, part) for part in SHOWN}
    for part in ("test", "test_new_view"):
        figures[part]["n_mpjpe_actions_mm"] = mean_over_actions(table, part, "n_mpjpe_mm")
    figures["labels"]["coverage"] = coverage(report_data)
    if known is not None:
        figures["labels_known"]["coverage"] = coverage(known)
    return absent_removed({**figures, "rig": rig_figures(report_data.capture, rigs)})


def part_figures(table: pd.DataFrame, part: str) -> Figures:
    """The figures of one part that metrics.json holds, PSS among them, pooled over recordings and views."""
    rows = table[(table["part"] == part) & (table["joint"] == WHOLE_POSE)]
    score = rows["metric"].str.startswith("pss")
    rows = rows[score | ((rows["protocol"] == "standard") & rows["metric"].isin(SHOWN[part]))]
    sums = rows.assign(sum=rows["count"] * rows["mean"]).groupby("metric")[["count", "sum"]].sum()
    return dict(sums["sum"] / sums["count"])


def mean_over_actions(table: pd.DataFrame, part: str, metric: str) -> float:
    """Mean of the actions' means, each of the same weight, as papers on Human3.6M have it; by the standard protocol."""
    rows = table[(table["part"] == part) & (table["joint"] == WHOLE_POSE) & (table["protocol"] == "standard")]
    rows = rows[rows["metric"] == metric]
    sums = rows.assign(sum=rows["count"] * rows["mean"]).groupby("action")[["count", "sum"]].sum()
    return float(metrics.mean((sums["sum"] / sums["count"]).to_numpy(float)))


def coverage(report_data: ReportData) -> float:
    """Percentage of the joints of the training frames that have a valid label."""
    names = {s.recording.name: s.recording.n_frames for s in report_data.select("train")}
    valid = [
        np.sum(report_data.status[name] == Status.VALID) / N_JOINTS for name in names if name in report_data.status
    ]
    return 100 * sum(valid) / max(sum(names.values()), 1)


def rig_figures(capture: Capture, rigs: Store) -> Figures:
    """The cameras found against the manifest's, after a similarity alignment: means over recordings and cameras.

    Where every frame has a rig of its own, a recording counts with the median of its frames.
    """
    errors = [e for r in capture.recordings if r.name in rigs for e in [recording_rig_error(capture, rigs, r.name)]]
    rotation, center = metrics.mean(np.array(errors).reshape(-1, 2), axis=0)
    return {"rotation_deg": rotation, "centre_mm": center}


def recording_rig_error(capture: Capture, rigs: Store, name: str) -> tuple[float, float]:
    """Rotation error in degrees and centre error in mm of a recording's labelling cameras; NaN where not known."""
    recording = next(r for r in capture.recordings if r.name == name)
    views = [v for v in recording.view_indices(for_labels=True) if recording.views[v].camera.has_extrinsics]
    if not views:
        return np.nan, np.nan
    cameras = [recording.views[v].camera for v in views]
    R_true = np.stack([c.R_cam_from_world for c in cameras if c.R_cam_from_world is not None])
    centers_true = np.stack([c.center_world_mm for c in cameras])
    R, t = rigs[name]["R_cam_from_world"][:, views], rigs[name]["t_cam_from_world_mm"][:, views]
    centers = -np.einsum("rvji,rvj->rvi", R, t)
    errors = np.array([rig_error(a, b, R_true, centers_true) for a, b in zip(R, centers, strict=True)])
    errors = errors[np.isfinite(errors).all(1)]
    rotation, center = np.median(errors, axis=0) if len(errors) else (np.nan, np.nan)
    return float(rotation), float(center)


def mean(values: np.ndarray) -> float:
    """Mean of all that is not missing."""
    return float(metrics.mean(values, axis=None))


def absent_removed(figures: Mapping[str, Any], digits: int = 2) -> Figures:
    """The figures sorted and rounded, without those that are missing and without groups that are then empty."""
    kept: Figures = {}
    for name, value in sorted(figures.items()):
        if isinstance(value, Mapping):
            value = absent_removed(value, digits)
            if value:
                kept[name] = value
        elif np.isfinite(value):
            kept[name] = round(float(value), digits)
    return kept
