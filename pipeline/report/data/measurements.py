"""Every metric of every recording in each of its views: one long table, from which all other figures are pooled.

A row is the mean of `count` values, so that rows can be pooled without loss into any larger group: by action, subject,
view or joint. Rows with the joint `all` measure whole poses.
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
from pipeline.report.data.parts import refined_part
from pipeline.report.data.report_data import Alternatives, ReportData, ViewData
from pipeline.skeleton import JOINTS

COLUMNS = (
    "part", "recording", "subject", "action", "view", "joint", "metric", "protocol", "count", "mean",
)  # fmt: skip
WHOLE_POSE = "all"
JOINT_METRICS = ("mpjpe_mm", "n_mpjpe_mm", "pa_mpjpe_mm", "pck150")
Intervals = dict[tuple[str, str], tuple[float, float]]  # (part, metric) -> low, high
Row = tuple[str, str, str, int, float]  # joint, metric, protocol, count, mean


def measure_capture(data: ReportData, alternatives: Alternatives) -> pd.DataFrame:
    """The table of a capture, one row per part, recording, view, joint, metric and protocol.

    The parts (`parts.PARTS`) against the truth are `labels` and `labels_known` (the baseline) of the training
    recordings, `detector`, and the predictions `test` and `test_new_view`. If the footage has no truth, `test_labels`
    compares predictions with labels. The predictions of each refinement unit have the same three parts.
    """
    tables = [
        measured_poses("labels", data.select("train"), data, "label_cam_mm"),
        measured_residuals("labels", data.select("train")),
        *_measured_predictions(data),
        measured_detections("detector", [view for view in data.views if not view.evaluation_only]),
    ]
    if alternatives.baseline is not None:
        train = alternatives.baseline.select("train")
        tables.append(measured_poses("labels_known", train, alternatives.baseline, "label_cam_mm"))
    for source, refined in alternatives.refined.items():
        tables += [table.assign(part=table["part"].map(lambda part, s=source: refined_part(part, s)))
                   for table in _measured_predictions(refined)]  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def _measured_predictions(data: ReportData) -> Iterator[pd.DataFrame]:
    test, new_view = data.select("test"), data.select("test", evaluation_only=True)
    yield measured_poses("test", with_predictions(test), data, "predicted_cam_mm")
    yield measured_poses("test_new_view", with_predictions(new_view), data, "predicted_cam_mm")
    if not any(view.has_truth for view in data.views):
        yield measured_poses("test_labels", test, data, "predicted_cam_mm", "label_cam_mm")


def with_predictions(views: Iterable[ViewData]) -> list[ViewData]:
    """The recordings and views that have predictions."""
    return [view for view in views if np.isfinite(view.predicted_px).any()]


def measured_poses(
    part: str, views: Iterable[ViewData], data: ReportData, array: str, against: str = "true_cam_mm"
) -> pd.DataFrame:
    """The rows of one kind of poses, in every protocol; without a known scale, metrics that need one are left out.

    Predictions against the truth have a scale, because they are placed at the true depth of the root as in the paper.
    In frames without a person PCK and AUC count all joints as misses; the other metrics leave these frames out.
    """
    has_scale = data.has_scale or (array, against) == ("predicted_cam_mm", "true_cam_mm")

    def rows(view: ViewData) -> Iterator[Row]:
        poses, truth = getattr(view, array), getattr(view, against)
        times_s = np.arange(len(truth)) / view.recording.fps
        for protocol in metrics.PROTOCOLS:
            for name, values in metrics.measure(poses, truth, times_s, protocol).items():
                metric = metrics.METRICS[name]
                if protocol in metric.protocols and (has_scale or not metric.needs_scale):
                    yield _row(WHOLE_POSE, name, protocol, metrics.mean(values))
                    if name in JOINT_METRICS and protocol == "standard":
                        yield from _joint_rows(name, values)
        for reference in data.references:
            scores = 100 * pss(reference, poses, truth)
            yield _row(WHOLE_POSE, f"pss{reference.k}", reference_protocol(reference), scores)

    return _table((part, view, row) for view in views for row in rows(view))


def measured_residuals(part: str, views: Iterable[ViewData]) -> pd.DataFrame:
    """The rows of the labels against the detections, which need no truth.

    `reprojection_px` is measured on the raw detections; `reprojection_used_px` on those that the labels were made
    from, with left and right as triangulation used them. An error above the height of the person's box counts as this
    height, so that a few labels that project far outside the image do not determine the mean.
    """

    def rows(view: ViewData) -> Iterator[Row]:
        used_px = np.where(view.used[..., None], view.sorted_px, np.nan)
        for name, px in (("reprojection_px", view.detected_px), ("reprojection_used_px", used_px)):
            errors = metrics.reprojection_errors(view.label_cam_mm, px, view.camera)
            errors = np.minimum(errors, (view.box_px[:, 3] - view.box_px[:, 1])[:, None])
            yield _row(WHOLE_POSE, name, "standard", errors)
            yield from _joint_rows(name, errors)

    return _table((part, view, row) for view in views for row in rows(view))


def measured_detections(part: str, views: Iterable[ViewData]) -> pd.DataFrame:
    """The rows of the detections against the projected true joints."""

    def rows(view: ViewData) -> Iterator[Row]:
        detected, true = view.detected_px, view.true_px
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

    return _table((part, view, row) for view in views for row in rows(view))


def reference_protocol(reference: Reference) -> str:
    """The protocol of scores by a reference: its hash, as only scores by the same reference are comparable."""
    return f"reference {reference.metadata['sha256'][:8]}"


def pooled(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Groups of rows by some columns, with their count, mean and 95 % interval (low, high).

    The interval resamples whole recordings with all their views; it is NaN for fewer than three recordings.
    """
    sums = table.assign(sum=table["count"] * table["mean"]).groupby([*by, "recording"])[["count", "sum"]].sum()
    rows = []
    for key, group in sums.groupby(by):
        count, total = group["count"].to_numpy(), group["sum"].to_numpy()
        rows.append((*key, count.sum(), total.sum() / count.sum(), *metrics.interval(total, count)))
    return pd.DataFrame(rows, columns=[*by, "count", "mean", "low", "high"])


def intervals(table: pd.DataFrame) -> Intervals:
    """The 95 % interval over recordings of each part's figures of whole poses, if there are enough recordings."""
    rows = table[table["joint"] == WHOLE_POSE]
    rows = rows[rows["protocol"].eq("standard") | rows["metric"].str.startswith("pss")]
    groups = pooled(rows, ["part", "metric"])
    groups = groups[groups["low"].notna()]
    ends = zip(groups["low"].astype(float), groups["high"].astype(float), strict=True)
    return dict(zip(zip(groups["part"], groups["metric"], strict=True), ends, strict=True))


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write the table as CSV."""
    with atomic_write(path) as aside:
        table.to_csv(aside, index=False, float_format="%.6g")


def read_table(file: Path | TextIO) -> pd.DataFrame:
    """Read what `write_table` wrote. Raises UserError for anything else."""
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
    counted = [
        (part, view.recording.name, view.recording.subject, view.recording.action, view.name, *row)
        for part, view, row in rows
        if row[3] > 0
    ]
    # Without types, the columns of an empty table, and of all tables joined with it, would have the type object.
    return pd.DataFrame(counted, columns=list(COLUMNS)).astype({"count": int, "mean": float})
