"""Every metric of every recording as each view sees it: one long table, which all other figures are pooled from.

A row says of how many values it is the mean, so that rows can be pooled into any larger group without loss: by action,
subject, view or joint. The rows whose joint is `all` are of whole poses.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd

from pipeline import metrics
from pipeline.errors import UserError
from pipeline.files import atomic_write
from pipeline.pss import Reference, pss
from pipeline.report.data.report_data import ReportData, ViewData
from pipeline.skeleton import JOINTS

COLUMNS = (
    "part", "recording", "subject", "action", "view", "joint", "metric", "protocol", "count", "mean",
)  # fmt: skip
WHOLE_POSE = "all"
JOINT_METRICS = ("mpjpe_mm", "n_mpjpe_mm", "pa_mpjpe_mm", "pck150")
Intervals = dict[tuple[str, str], tuple[float, float]]  # (part, metric) -> low, high
Row = tuple[str, str, str, int, float]  # joint, metric, protocol, count, mean


def measured(report_data: ReportData, known: ReportData | None) -> pd.DataFrame:
    """The table of a capture; `known` has the labels that the true extrinsics would have given.

    Parts: `labels` and `labels_known` of the training recordings, `test` and `test_new_view` of the predictions, all
    against the truth; `test_labels`, predictions against labels where there is no truth at all; `detector`.
    """
    test, new_view = report_data.select("test"), report_data.select("test", evaluation_only=True)
    parts = [
        measured_poses("labels", report_data.select("train"), report_data, "label_cam_mm"),
        measured_residuals("labels", report_data.select("train")),
        measured_poses("test", predicted(test), report_data, "predicted_cam_mm"),
        measured_poses("test_new_view", predicted(new_view), report_data, "predicted_cam_mm"),
        measured_detections("detector", [s for s in report_data.seen if not s.view.evaluation_only]),
    ]
    if known is not None:
        parts.append(measured_poses("labels_known", known.select("train"), known, "label_cam_mm"))
    if not any(seen.has_truth for seen in report_data.seen):
        parts.append(measured_poses("test_labels", test, report_data, "predicted_cam_mm", "label_cam_mm"))
    return pd.concat(parts, ignore_index=True)


def predicted(seen: Iterable[ViewData]) -> list[ViewData]:
    """The recordings and views that the network was asked about."""
    return [one for one in seen if np.isfinite(one.predicted_px).any()]


def measured_poses(
    part: str, seen: Iterable[ViewData], report_data: ReportData, array: str, against: str = "true_cam_mm"
) -> pd.DataFrame:
    """The rows of one kind of poses, by every protocol. What needs a scale is left out where there is none.

    Predictions against the truth have one: they are placed at the true depth of the root, as the paper does. Where no
    person was found, PCK and AUC count the joints as missed; the other figures leave the frame out.
    """
    scaled = report_data.metric or (array, against) == ("predicted_cam_mm", "true_cam_mm")

    def rows(one: ViewData) -> Iterator[Row]:
        poses, truth = getattr(one, array), getattr(one, against)
        times_s = np.arange(len(truth)) / one.recording.fps
        for protocol in metrics.PROTOCOLS:
            for name, values in metrics.measure(poses, truth, times_s, protocol).items():
                metric = metrics.METRICS[name]
                if protocol in metric.protocols and (scaled or not metric.needs_scale):
                    yield _row(WHOLE_POSE, name, protocol, metrics.mean(values))
                    if name in JOINT_METRICS and protocol == "standard":
                        yield from _joint_rows(name, values)
        for reference in report_data.references:
            yield _row(WHOLE_POSE, f"pss{reference.k}", named(reference), 100 * pss(reference, poses, truth))

    return _table((part, one, row) for one in seen for row in rows(one))


def measured_residuals(part: str, seen: Iterable[ViewData]) -> pd.DataFrame:
    """The rows of the labels against the detections they were made from, which needs no truth."""

    def rows(one: ViewData) -> Iterator[Row]:
        errors = metrics.reprojection_errors(one.label_cam_mm, one.detected_px, one.view.camera)
        yield _row(WHOLE_POSE, "reprojection_px", "standard", errors)
        yield from _joint_rows("reprojection_px", errors)

    return _table((part, one, row) for one in seen for row in rows(one))


def measured_detections(part: str, seen: Iterable[ViewData]) -> pd.DataFrame:
    """The rows of the detections against the true joints as each view sees them."""

    def rows(one: ViewData) -> Iterator[Row]:
        detected, true = one.detected_px, one.true_px
        visible = np.isfinite(true).any((1, 2))
        found = 100.0 * np.isfinite(detected[visible]).any((1, 2))
        errors = metrics.box_errors_percent(detected, true)
        yield _row(WHOLE_POSE, "error_px", "standard", metrics.joint_errors(detected, true))
        yield _row(WHOLE_POSE, "error_box_percent", "standard", errors)
        yield _row(WHOLE_POSE, "swap_percent", "standard", metrics.swaps_percent(detected, true))
        yield _row(WHOLE_POSE, "found_percent", "standard", found)
        yield _row(WHOLE_POSE, "pckh50", "standard", metrics.pckh(detected, true, metrics.head_lengths_px(true)))
        yield _row(WHOLE_POSE, "oks", "standard", metrics.oks(detected, true, metrics.person_areas_px2(true)))
        yield from _joint_rows("error_box_percent", errors)

    return _table((part, one, row) for one in seen for row in rows(one))


def named(reference: Reference) -> str:
    """What makes scores against a reference comparable with others: its hash."""
    return f"reference {reference.metadata['sha256'][:8]}"


def pooled(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Groups of rows by some columns: their count, mean and 95 % interval (low, high).

    Whole recordings are drawn for the interval, all their views together; it is NaN for fewer than three.
    """
    sums = table.assign(sum=table["count"] * table["mean"]).groupby([*by, "recording"])[["count", "sum"]].sum()
    rows = []
    for key, group in sums.groupby(by):
        count, total = group["count"].to_numpy(), group["sum"].to_numpy()
        rows.append((*key, count.sum(), total.sum() / count.sum(), *metrics.interval(total, count)))
    return pd.DataFrame(rows, columns=[*by, "count", "mean", "low", "high"])


def intervals(table: pd.DataFrame) -> Intervals:
    """The 95 % interval over recordings of each part's figures of whole poses, where there are enough recordings."""
    whole_poses = table[table["joint"] == WHOLE_POSE]
    reported = whole_poses[whole_poses["protocol"].eq("standard") | whole_poses["metric"].str.startswith("pss")]
    found = pooled(reported, ["part", "metric"])
    known = found[found["low"].notna()]
    ends = zip(known["low"].astype(float), known["high"].astype(float), strict=True)
    return dict(zip(zip(known["part"], known["metric"], strict=True), ends, strict=True))


def write_measured(path: Path, table: pd.DataFrame) -> None:
    """Write the table as CSV."""
    with atomic_write(path) as aside:
        table.to_csv(aside, index=False, float_format="%.6g")


def read_measured(file: Path | TextIO) -> pd.DataFrame:
    """Read what `write_measured` wrote. Raises UserError for anything else."""
    try:
        table = pd.read_csv(file, dtype=dict.fromkeys(COLUMNS[:-2], str))
    except (OSError, ValueError) as error:
        raise UserError(f"{file} cannot be read: {error}", fix="Run dvc repro report.") from None
    if tuple(table.columns) != COLUMNS:
        what = f"{file} has the columns {', '.join(table.columns)}; this code reads {', '.join(COLUMNS)}"
        raise UserError(what, fix="Run dvc repro report.")
    return table


def _row(joint: str, metric: str, protocol: str, values: np.ndarray) -> Row:
    known = np.isfinite(values)
    return joint, metric, protocol, int(known.sum()), float(metrics.mean(values, axis=None))


def _joint_rows(metric: str, values: np.ndarray) -> Iterator[Row]:
    return (_row(joint, metric, "standard", values[:, j]) for j, joint in enumerate(JOINTS))


def _table(rows: Iterable[tuple[str, ViewData, Row]]) -> pd.DataFrame:
    reported = [
        (part, one.recording.name, one.recording.subject, one.recording.action, one.view.name, *row)
        for part, one, row in rows
        if row[3] > 0
    ]
    return pd.DataFrame(reported, columns=list(COLUMNS))
