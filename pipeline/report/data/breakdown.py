"""Errors by joint, recording, view, action and subject, and the outcomes of detections and labels."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from pipeline import metrics
from pipeline.geometry.triangulation.labelling import Status, ViewStatus
from pipeline.report.data.evaluate import Figures, mean, part_figures
from pipeline.report.data.measurements import measured_poses, with_predictions
from pipeline.report.data.report_data import ReportData, ViewData, joined
from pipeline.skeleton import JOINTS


@dataclass(frozen=True)
class Row:
    """One line of a table: the name of a group, its number of poses, and its figures."""

    name: str
    n_poses: int
    figures: Figures


def reference_name(view: ViewData) -> str:
    """The array that predictions are compared with: the truth, or the labels if there is no truth."""
    return "true_cam_mm" if view.has_truth else "label_cam_mm"


def predicted_test(data: ReportData, *, evaluation_only: bool = False) -> list[ViewData]:
    """The views of test recordings that have predictions and a reference to compare them with."""
    views = data.select("test", evaluation_only=evaluation_only)
    return [v for v in views if np.isfinite(pose_errors_mm(v, "predicted_cam_mm", reference_name(v))).any()]


def joint_errors_mm(views: Iterable[ViewData], name: str, against: str) -> np.ndarray:
    """Mean error of each joint (joint,) after root-centring and scaling each pose as for N-MPJPE."""
    views = list(views)
    poses, reference = joined(views, name), joined(views, against)
    errors = metrics.joint_errors(metrics.scale_aligned(poses, reference), metrics.root_centred(reference))
    return metrics.mean(errors, axis=0)


def pose_errors_mm(view: ViewData, name: str, against: str) -> np.ndarray:
    """N-MPJPE of each frame, (frame,)."""
    return metrics.n_mpjpe(getattr(view, name), getattr(view, against))


def network_rows(views: list[ViewData], data: ReportData, key: Callable[[ViewData], str]) -> list[Row]:
    """The network's figures for each group of recordings and views with the same key."""
    rows = []
    for name in sorted({key(view) for view in views}):
        group = with_predictions([view for view in views if key(view) == name])
        part = "test" if group[0].has_truth else "test_labels"
        table = measured_poses(part, group, data, "predicted_cam_mm", reference_name(group[0]))
        n_poses = sum(int(np.isfinite(view.predicted_cam_mm).any((1, 2)).sum()) for view in group)
        rows.append(Row(name, n_poses, part_figures(table, part)))
    return rows


def rejections(data: ReportData) -> dict[str, int]:
    """The number of rejected joints of all recordings by reason, the most frequent reason first."""
    counts: Counter[str] = Counter()
    for status in data.status.values():
        for code, n in zip(*np.unique(status, return_counts=True), strict=True):
            if code != Status.VALID:
                counts[_title(Status(code))] += int(n)
    return dict(counts.most_common())


def detection_outcomes(data: ReportData) -> dict[str, dict[str, float]]:
    """For each labelling view, the percentage of its detections with each outcome."""
    shares: dict[str, dict[str, float]] = {}
    for name, views in data.by_name().items():
        outcomes = [v.outcomes for v in views if v.recording.name in data.status and not v.evaluation_only]
        if outcomes:
            codes = np.concatenate(outcomes)
            shares[name] = {
                _title(status): 100 * float(np.mean(codes == status))
                for status in ViewStatus
                if (codes == status).any()
            }
    return shares


def _title(status: Status | ViewStatus) -> str:
    return status.name.lower().replace("_", " ")


def residuals_percent(view: ViewData) -> np.ndarray:
    """Distance of each detection from the projected label in percent of the person's box height, (frame, joint).

    Left and right are as triangulation used them.
    """
    distance = np.linalg.norm(view.sorted_px - view.label_px, axis=-1)
    height = view.box_px[:, 3] - view.box_px[:, 1]
    return np.asarray(100 * distance / np.where(height > 0, height, np.nan)[:, None])


def worst_joint(errors: np.ndarray) -> tuple[str, float] | None:
    """Name and error of the joint with the largest error (joint,); None if no error is known."""
    if not np.isfinite(errors).any():
        return None
    j = int(np.nanargmax(errors))
    return JOINTS[j].replace("l_", "left ").replace("r_", "right "), float(errors[j])


def detector_rows(data: ReportData) -> list[tuple[str, float, float]]:
    """Per view name: percentage of frames with a person found, and error in percent of the box (NaN without truth)."""
    rows = []
    for name, views in data.by_name().items():
        detected, true = joined(views, "detected_px"), joined(views, "true_px")
        found = np.isfinite(detected).any((1, 2)).astype(float)
        rows.append((name, 100 * mean(found), mean(metrics.box_errors_percent(detected, true))))
    return rows
