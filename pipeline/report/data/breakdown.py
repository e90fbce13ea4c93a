"""Errors by joint, recording, view, action and subject: where things go wrong."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from pipeline import metrics
from pipeline.geometry.triangulation.labelling import Status
from pipeline.report.data.evaluate import Figures, mean, part_figures
from pipeline.report.data.measurements import measured_poses, predicted
from pipeline.report.data.report_data import ReportData, ViewData, joined
from pipeline.skeleton import JOINTS


@dataclass(frozen=True)
class Row:
    """One line of a table: what it is about, how many poses it counts, and its figures."""

    name: str
    n_poses: int
    figures: Figures


def reference_name(seen: ViewData) -> str:
    """The array a prediction is held against: the truth, or the labels where there is none."""
    return "true_cam_mm" if seen.has_truth else "label_cam_mm"


def joint_errors_mm(seen: Iterable[ViewData], name: str, against: str) -> np.ndarray:
    """Mean error of each joint after root-centring and scaling each pose (as N-MPJPE does), (joint,)."""
    seen = list(seen)
    predicted, true = joined(seen, name), joined(seen, against)
    errors = metrics.joint_errors(metrics.scale_aligned(predicted, true), metrics.root_centred(true))
    return metrics.mean(errors, axis=0)


def pose_errors_mm(seen: ViewData, name: str, against: str) -> np.ndarray:
    """N-MPJPE of each frame, (frame,)."""
    return metrics.n_mpjpe(getattr(seen, name), getattr(seen, against))


def network_rows(seen: list[ViewData], report_data: ReportData, key: Callable[[ViewData], str]) -> list[Row]:
    """The network's figures for each group of recordings and views that share a key."""
    rows = []
    for name in sorted({key(one) for one in seen}):
        group = predicted([one for one in seen if key(one) == name])
        part = "test" if group[0].has_truth else "test_labels"
        table = measured_poses(part, group, report_data, "predicted_cam_mm", reference_name(group[0]))
        n_poses = sum(int(np.isfinite(one.predicted_cam_mm).any((1, 2)).sum()) for one in group)
        rows.append(Row(name, n_poses, part_figures(table, part)))
    return rows


def rejections(report_data: ReportData) -> dict[str, int]:
    """How many joints of all recordings got no label, by reason."""
    counts: Counter[str] = Counter()
    for status in report_data.status.values():
        for code, n in zip(*np.unique(status, return_counts=True), strict=True):
            if code != Status.VALID:
                counts[report_data.reasons.get(int(code), f"code {code}")] += int(n)
    return dict(counts.most_common())


def residuals_percent(seen: ViewData) -> np.ndarray:
    """Distance of each detection from the projected label in percent of the person's box height, (frame, joint).

    Left and right are as the labels took them: that they were exchanged is told apart.
    """
    distance = np.linalg.norm(seen.sorted_px - label_px(seen), axis=-1)
    height = seen.box_px[:, 3] - seen.box_px[:, 1]
    return 100 * distance / np.where(height > 0, height, np.nan)[:, None]


def label_px(seen: ViewData) -> np.ndarray:
    """The labels as the view sees them, (frame, joint, 2)."""
    camera = seen.view.camera.with_extrinsics(np.eye(3), np.zeros(3))
    return camera.project(seen.label_cam_mm)


def worst_joint(errors: np.ndarray) -> tuple[str, float] | None:
    """Name and error of the joint with the largest error (joint,); None where nothing is known."""
    if not np.isfinite(errors).any():
        return None
    j = int(np.nanargmax(errors))
    return JOINTS[j].replace("l_", "left ").replace("r_", "right "), float(errors[j])


def detector_rows(report_data: ReportData) -> list[tuple[str, float, float]]:
    """Per view name: frames with a person found in percent, and error in percent of the box (NaN without truth)."""
    rows = []
    for name in dict.fromkeys(one.view.name for one in report_data.seen):
        group = [one for one in report_data.seen if one.view.name == name]
        detected, true = joined(group, "detected_px"), joined(group, "true_px")
        found = np.isfinite(detected).any((1, 2)).astype(float)
        rows.append((name, 100 * mean(found), mean(metrics.box_errors_percent(detected, true))))
    return rows
