"""Whether the stated uncertainty of labels holds: errors over stated deviations, by tenths of what is stated."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from pipeline.files import atomic_write
from pipeline.geometry.align import similarity
from pipeline.report.data.report_data import ReportData, ViewData
from pipeline.stores import LabelStore

TENTHS = 10


@dataclass(frozen=True)
class Reliability:
    """Root mean squares of what is stated and of what is found, by tenths of what is stated, the most certain first."""

    stated: Float[np.ndarray, " tenth"]
    found: Float[np.ndarray, " tenth"]
    unit: str

    @property
    def ratios(self) -> Float[np.ndarray, " tenth"]:
        """What is found over what is stated: 1 where the uncertainty is true, above 1 where it is too small."""
        return np.asarray(self.found / self.stated)

    @property
    def overall(self) -> float:
        """The ratio over all tenths."""
        return float(np.sqrt((self.found**2).mean() / (self.stated**2).mean()))


def by_tenths(stated: np.ndarray, found: np.ndarray, unit: str) -> Reliability | None:
    """Group values of any shape by what is stated for them; None if fewer than ten pairs are known."""
    known = np.isfinite(stated) & np.isfinite(found)
    order = np.argsort(stated[known], kind="stable")
    if len(order) < TENTHS:
        return None
    parts = np.array_split(order, TENTHS)
    rms = [np.array([np.sqrt((a[known][part] ** 2).mean()) for part in parts]) for a in (stated, found)]
    return Reliability(rms[0], rms[1], unit)


def label_reliability(data: ReportData, views: Iterable[ViewData]) -> Reliability | None:
    """Errors of the labels over their stated deviation; None without truth.

    `views` choose the recordings; a recording is measured in its first view with truth.
    """
    first: dict[str, ViewData] = {}
    for view in views:
        if view.has_truth and np.isfinite(view.label_cam_mm).any() and view.recording.name in data.uncertainty_mm:
            first.setdefault(view.recording.name, view)
    parts = [
        aligned_errors(view.label_cam_mm, data.uncertainty_mm[name], view.true_cam_mm) for name, view in first.items()
    ]
    if not parts:
        return None
    stated, errors = (np.concatenate(values) for values in zip(*parts, strict=True))
    return by_tenths(stated, errors, "mm")


def aligned_errors(
    labels: Float[np.ndarray, "frame joint 3"],
    stated: Float[np.ndarray, "frame joint"],
    truth: Float[np.ndarray, "frame joint 3"],
) -> tuple[Float[np.ndarray, " frame*joint"], Float[np.ndarray, " frame*joint"]]:
    """Stated deviations and errors of the labels of a recording in the truth's unit, after one similarity.

    The uncertainty of the scale and of the world's frame is not part of a label's. Labels weigh by their stated
    variances: otherwise the least certain ones would decide where the most certain ones come to lie.
    """
    known = np.isfinite(stated)
    weights = np.where(known, 1 / np.where(known, stated, 1.0) ** 2, 0.0)
    points, true = labels.reshape(-1, 3), truth.reshape(-1, 3)
    scale, R, t = similarity(points, true, weights=weights.ravel())
    return scale * stated.ravel(), np.linalg.norm(scale * points @ R.T + t - true, axis=-1)


def left_out_reliability(labels: LabelStore) -> Reliability | None:
    """Distances of left-out detections from the joints of the other views over what is stated; None with two views.

    It needs no truth, and does not see errors that all views share. The tenths are those of each recording.
    """
    tables = [labels[name].record.noise for name in labels]
    known = [(np.array(one.left_out_px), one.n_left_out) for one in tables if len(one.left_out_px) == TENTHS]
    if not known:
        return None
    counts = [n for _, n in known]
    mean = np.sqrt(np.average([table**2 for table, _ in known], axis=0, weights=counts))
    return Reliability(mean[:, 0], mean[:, 1], "px")


def reliability_figures(data: ReportData) -> dict[str, float]:
    """The ratio of errors and stated deviations over all labels of the training recordings, and the worst tenth's.

    Empty without truth.
    """
    found = label_reliability(data, data.select("train"))
    if found is None:
        return {}
    return {"rms_over_sigma": found.overall, "rms_over_sigma_max": float(found.ratios.max())}


def write_reliability(path: Path, found: Reliability | None) -> None:
    """Write the tenths as CSV, without rows if there are none."""
    with atomic_write(path) as aside, aside.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("tenth", "stated", "found", "unit"))
        if found is not None:
            for tenth, (stated, error) in enumerate(zip(found.stated, found.found, strict=True), start=1):
                writer.writerow((tenth, f"{stated:.4g}", f"{error:.4g}", found.unit))
