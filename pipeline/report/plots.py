"""The tables behind `dvc plots`; a figure that does not apply has no column or no rows."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from pipeline import metrics
from pipeline.report.breakdown import joint_errors_mm, reference_name
from pipeline.report.look import JOINT_TITLES
from pipeline.report.material import Material, Seen
from pipeline.report.results import pck_curves, predicted_test
from pipeline.skeleton import ROOT
from pipeline.stage import whole

LABEL_JOINTS, NETWORK_JOINTS, PCK = "label_joints.csv", "network_joints.csv", "pck.csv"


def write_plots(folder: Path, material: Material) -> None:
    """Write error per joint of labels and network (mm, scale-aligned) and the PCK curves."""
    train = [s for s in material.select("train") if s.has_truth]
    _write_joints(folder / LABEL_JOINTS, train, "label_cam_mm")
    _write_joints(folder / NETWORK_JOINTS, predicted_test(material), "predicted_cam_mm")
    curves = pck_curves(material)
    columns = [metrics.AUC_THRESHOLDS_MM, *(values for _, values in curves.values())] if curves else []
    rows = [[f"{value:.5g}" for value in row] for row in zip(*columns, strict=True)]
    _write(folder / PCK, ("threshold_mm", *(name.replace(", ", "_").replace(" ", "_") for name in curves)), rows)


def _write_joints(path: Path, seen: list[Seen], name: str) -> None:
    errors = joint_errors_mm(seen, name, reference_name(seen[0])) if seen else np.full(len(JOINT_TITLES), np.nan)
    named = list(zip(JOINT_TITLES, errors, strict=True))
    rows = [(joint, f"{error:.2f}") for j, (joint, error) in enumerate(named) if j != ROOT and np.isfinite(error)]
    _write(path, ("joint", "error_mm"), rows)


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with whole(path) as aside, aside.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)
