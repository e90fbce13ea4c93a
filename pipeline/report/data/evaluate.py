"""The figures of `reports/metrics.json`: the quality of the labels, the rig, the detector and the network.

Figures that do not apply are absent, for example those that need truth if there is none.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline import metrics
from pipeline.capture import Capture, Recording
from pipeline.geometry.align import rig_error
from pipeline.geometry.triangulation.labelling import Status
from pipeline.report.data.measurements import WHOLE_POSE
from pipeline.report.data.parts import PARTS
from pipeline.report.data.reliability import reliability_figures
from pipeline.report.data.report_data import Alternatives, ReportData
from pipeline.skeleton import N_JOINTS
from pipeline.stores import RigStore

Figures = dict[str, Any]


def evaluate(data: ReportData, alternatives: Alternatives, rigs: RigStore, table: pd.DataFrame) -> Figures:
    """All figures except seconds and memory, in the standard protocol, from the table of `measure_capture`."""
    figures: Figures = {part: part_figures(table, part) for part in PARTS}
    for part in figures:
        if part.startswith("test") and not part.startswith("test_labels"):
            figures[part]["n_mpjpe_actions_mm"] = mean_over_actions(table, part, "n_mpjpe_mm")
    figures["labels"]["coverage"] = coverage(data)
    figures["labels"] |= reliability_figures(data)
    figures["detector"]["crashed_images"] = data.n_crashes
    if alternatives.baseline is not None:
        figures["labels_known"]["coverage"] = coverage(alternatives.baseline)
    return drop_missing({**figures, "rig": rig_figures(data.capture, rigs)})


def part_figures(table: pd.DataFrame, part: str) -> Figures:
    """The figures of one part that metrics.json holds, PSS included, pooled over recordings and views."""
    rows = table[(table["part"] == part) & (table["joint"] == WHOLE_POSE)]
    is_score = rows["metric"].str.startswith("pss")
    rows = rows[is_score | ((rows["protocol"] == "standard") & rows["metric"].isin(PARTS[part].figures))]
    sums = rows.assign(sum=rows["count"] * rows["mean"]).groupby("metric")[["count", "sum"]].sum()
    return dict(sums["sum"] / sums["count"])


def mean_over_actions(table: pd.DataFrame, part: str, metric: str) -> float:
    """Mean over actions of the mean of each action, in the standard protocol, as in papers on Human3.6M."""
    rows = table[(table["part"] == part) & (table["joint"] == WHOLE_POSE) & (table["protocol"] == "standard")]
    rows = rows[rows["metric"] == metric]
    sums = rows.assign(sum=rows["count"] * rows["mean"]).groupby("action")[["count", "sum"]].sum()
    return float(metrics.mean((sums["sum"] / sums["count"]).to_numpy(float)))


def coverage(data: ReportData) -> float:
    """Percentage of the joints of the training frames that have a valid label."""
    n_frames = {view.recording.name: view.recording.n_frames for view in data.select("train")}
    valid = [np.sum(data.status[name] == Status.VALID) / N_JOINTS for name in n_frames if name in data.status]
    return float(100 * sum(valid) / max(sum(n_frames.values()), 1))


def rig_figures(capture: Capture, rigs: RigStore) -> Figures:
    """Errors of the calibrated cameras against the manifest's after a similarity alignment: means over recordings.

    For a recording with a rig for every frame, the error is the median over the frames.
    """
    errors = [recording_rig_error(r, rigs) for r in capture.recordings if r.name in rigs]
    rotation, center = metrics.mean(np.array(errors).reshape(-1, 2), axis=0)
    return {"rotation_deg": rotation, "centre_mm": center}


def recording_rig_error(recording: Recording, rigs: RigStore) -> tuple[float, float]:
    """Rotation error in degrees and centre error in mm of the labelling cameras.

    NaN without given extrinsics, and if these are the rig.
    """
    views = [v for v in recording.view_indices(for_labels=True) if recording.views[v].camera.has_extrinsics]
    if not views or rigs[recording.name].record.mode == "known":
        return np.nan, np.nan
    cameras = [recording.views[v].camera for v in views]
    R_given = np.stack([c.R_cam_from_world for c in cameras if c.R_cam_from_world is not None])
    centers_given = np.stack([c.center_world_mm for c in cameras])
    rig = rigs[recording.name]
    R, t = rig["R_cam_from_world"][:, views], rig["t_cam_from_world_mm"][:, views]
    centers = -np.einsum("rvji,rvj->rvi", R, t)
    errors = np.array([rig_error(a, b, R_given, centers_given) for a, b in zip(R, centers, strict=True)])
    errors = errors[np.isfinite(errors).all(1)]
    rotation, center = np.median(errors, axis=0) if len(errors) else (np.nan, np.nan)
    return float(rotation), float(center)


def mean(values: np.ndarray) -> float:
    """Mean of all values that are not missing."""
    return float(metrics.mean(values, axis=None))


def drop_missing(figures: Mapping[str, Any], digits: int = 2) -> Figures:
    """The figures sorted and rounded, without missing figures and without groups that become empty."""
    kept: Figures = {}
    for name, value in sorted(figures.items()):
        if isinstance(value, Mapping):
            group = drop_missing(value, digits)
            if group:
                kept[name] = group
        elif np.isfinite(value):
            kept[name] = round(float(value), digits)
    return kept
