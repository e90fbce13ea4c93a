"""The tables behind `dvc plots`; a figure that does not apply has no column or no rows."""

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from pipeline import metrics
from pipeline.files import atomic_write
from pipeline.report.data.breakdown import joint_errors_mm, pose_errors_mm, reference_name
from pipeline.report.data.report_data import ReportData, ViewData
from pipeline.report.page.theme import JOINT_TITLES
from pipeline.report.sections.network import pck_curves, predicted_test
from pipeline.skeleton import ROOT

LABEL_JOINTS, NETWORK_JOINTS, NETWORK_ACTIONS, NETWORK_VIEWS, PCK = (
    "label_joints.csv", "network_joints.csv", "network_actions.csv", "network_views.csv", "pck.csv",
)  # fmt: skip


def write_plots(folder: Path, report_data: ReportData) -> None:
    """Write error per joint of labels and network, per action and view of the network, and the PCK curves.

    Errors are in mm, scale-aligned; those by view have the unseen views too.
    """
    train = [s for s in report_data.select("train") if s.has_truth]
    test, new_view = predicted_test(report_data), predicted_test(report_data, evaluation_only=True)
    _write_joints(folder / LABEL_JOINTS, train, "label_cam_mm")
    _write_joints(folder / NETWORK_JOINTS, test, "predicted_cam_mm")
    _write_groups(folder / NETWORK_ACTIONS, "action", test, lambda s: s.recording.action)
    _write_groups(folder / NETWORK_VIEWS, "view", [*test, *new_view], lambda s: s.view.name)
    curves = pck_curves(report_data)
    columns = [metrics.AUC_THRESHOLDS_MM, *(values for _, values in curves.values())] if curves else []
    rows = [[f"{value:.5g}" for value in row] for row in zip(*columns, strict=True)]
    _write(folder / PCK, ("threshold_mm", *(name.replace(", ", "_").replace(" ", "_") for name in curves)), rows)


def _write_joints(path: Path, seen: list[ViewData], name: str) -> None:
    errors = joint_errors_mm(seen, name, reference_name(seen[0])) if seen else np.full(len(JOINT_TITLES), np.nan)
    named = list(zip(JOINT_TITLES, errors, strict=True))
    rows = [(joint, f"{error:.2f}") for j, (joint, error) in enumerate(named) if j != ROOT and np.isfinite(error)]
    _write(path, ("joint", "error_mm"), rows)


def _write_groups(path: Path, what: str, seen: list[ViewData], key: Callable[[ViewData], str]) -> None:
    groups: dict[str, list[np.ndarray]] = {}
    for one in seen:
        groups.setdefault(key(one), []).append(pose_errors_mm(one, "predicted_cam_mm", reference_name(one)))
    rows = [(name, f"{float(metrics.mean(np.concatenate(groups[name]))):.2f}") for name in sorted(groups)]
    _write(path, (what, "error_mm"), rows)


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with atomic_write(path) as aside, aside.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)
