"""The tables for `dvc plots`; a figure that does not apply has no column or no rows."""

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from pipeline import metrics
from pipeline.files import atomic_write
from pipeline.report.data.breakdown import joint_errors_mm, pose_errors_mm, predicted_test, reference_name
from pipeline.report.data.curves import pck_curves
from pipeline.report.data.report_data import Alternatives, ReportData, ViewData
from pipeline.report.page.theme import JOINT_TITLES
from pipeline.skeleton import ROOT

LABEL_JOINTS, NETWORK_JOINTS, NETWORK_ACTIONS, NETWORK_VIEWS, PCK = (
    "label_joints.csv", "network_joints.csv", "network_actions.csv", "network_views.csv", "pck.csv",
)  # fmt: skip


def write_plots(folder: Path, data: ReportData, alternatives: Alternatives) -> None:
    """Write the errors by joint of labels and network, by action and view of the network, and the PCK curves.

    Errors are N-MPJPE in mm. The errors by view include the views that the network was not trained on.
    """
    train = [view for view in data.select("train") if view.has_truth]
    test, new_view = predicted_test(data), predicted_test(data, evaluation_only=True)
    _write_joints(folder / LABEL_JOINTS, train, "label_cam_mm")
    _write_joints(folder / NETWORK_JOINTS, test, "predicted_cam_mm")
    _write_groups(folder / NETWORK_ACTIONS, "action", test, lambda view: view.recording.action)
    _write_groups(folder / NETWORK_VIEWS, "view", [*test, *new_view], lambda view: view.name)
    curves = pck_curves(data, alternatives)
    columns = [metrics.AUC_THRESHOLDS_MM, *curves.values()] if curves else []
    rows = [[f"{value:.5g}" for value in row] for row in zip(*columns, strict=True)]
    _write(folder / PCK, ("threshold_mm", *(name.replace(", ", "_").replace(" ", "_") for name in curves)), rows)


def _write_joints(path: Path, views: list[ViewData], name: str) -> None:
    errors = joint_errors_mm(views, name, reference_name(views[0])) if views else np.full(len(JOINT_TITLES), np.nan)
    known = [(j, error) for j, error in enumerate(errors) if j != ROOT and np.isfinite(error)]
    _write(path, ("joint", "error_mm"), [(JOINT_TITLES[j], f"{error:.2f}") for j, error in known])


def _write_groups(path: Path, dimension: str, views: list[ViewData], key: Callable[[ViewData], str]) -> None:
    groups: dict[str, list[np.ndarray]] = {}
    for view in views:
        groups.setdefault(key(view), []).append(pose_errors_mm(view, "predicted_cam_mm", reference_name(view)))
    rows = [(name, f"{float(metrics.mean(np.concatenate(groups[name]))):.2f}") for name in sorted(groups)]
    _write(path, (dimension, "error_mm"), rows)


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with atomic_write(path) as aside, aside.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)
