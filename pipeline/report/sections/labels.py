"""The section on the labels: coverage, errors in the images and against the truth, and rejections."""

import numpy as np

from pipeline.geometry.triangulation.labelling import Status
from pipeline.report.data.breakdown import detection_outcomes, joint_errors_mm, residuals_percent
from pipeline.report.data.evaluate import Figures
from pipeline.report.data.measurements import Intervals
from pipeline.report.data.reliability import Reliability, label_reliability
from pipeline.report.data.report_data import ReportData, ViewData
from pipeline.report.page.blocks import Block, Chart, Gallery, Section, Table, number, percent
from pipeline.report.page.charts import (
    joint_bars,
    joint_map,
    named_bars,
    spread_bars,
    stacked_bars,
    stated_and_found,
    time_map,
)
from pipeline.report.page.theme import COLOURS
from pipeline.report.sections.tables import figures_table
from pipeline.report.sections.worst_labels import row_medians, worst_card, worst_frames
from pipeline.skeleton import BONES, LEFT_JOINTS, MIRROR, PARENTS

TIME_BINS = 60
STRONGEST_PERCENT = 10.0  # of missing or swapped labels: end of a map's colour scale, or larger
STD_OF_MAD = 1.4826  # standard deviation of a normal distribution over its median absolute deviation


def label_section(
    data: ReportData, figures: Figures, intervals: Intervals, rejected: dict[str, int], n_worst: int,
    left_out: Reliability | None = None,
) -> Section:  # fmt: skip
    """Coverage, residuals by view and joint, rejections by reason, errors if there is truth, and the worst frames."""
    labelling_views = [view for view in data.views if not view.evaluation_only]
    train, labels = data.select("train"), figures["labels"]
    worst = [worst_card(*found) for found in worst_frames(train or labelling_views, n_worst)]
    blocks: list[Block] = [Gallery("Worst frames", worst, "The label is drawn over the detection.")]
    blocks.append(_figures_table(figures, intervals))
    blocks += [*_rejection_charts(data, rejected), *_outcome_charts(data), *_residual_charts(labelling_views)]
    blocks += [*_truth_charts(train), *_reliability_charts(data, train, left_out), *_consistency(data)]
    lead = f"{percent(labels['coverage'])} % of the joints of the training frames have a label."
    if "n_mpjpe_mm" not in labels:
        lead += (
            " There is no truth to compare with: the figures below measure how far the labels agree with the images"
            " and with each other, which is necessary for good labels but not sufficient."
        )
    return Section("labels", "Labels", lead, blocks)


def _figures_table(figures: Figures, intervals: Intervals) -> Table:
    columns = {"labels": "these labels", "labels_known": "cameras known"}
    note = (
        "Training recordings, in the frames of the cameras that made the labels. Cameras known: labels of the same"
        " detections with the extrinsics given with the footage. Detections used: the detections that the labels were"
        " made from, with left and right as triangulation used them. In brackets: 95 % interval over recordings."
    )
    return figures_table("Figures", {k: t for k, t in columns.items() if k in figures}, figures, intervals, note)


def _rejection_charts(data: ReportData, rejected: dict[str, int]) -> list[Block]:
    """Joints without a label by reason, by recording and joint, and over time."""
    if not rejected:
        return []
    missing = {name: 100.0 * (status != Status.VALID) for name, status in data.status.items()}
    by_joint = np.stack([one.mean(0) for one in missing.values()])
    over_time = {name: one.mean(1) for name, one in missing.items()}
    by_recording = joint_map(by_joint, list(missing), "%", STRONGEST_PERCENT)
    return [
        Chart("Joints without a label, by reason", named_bars(dict(rejected), "joints")),
        Chart("Labels missing over time, %", time_map(over_time, TIME_BINS, "%", STRONGEST_PERCENT), wide=True),
        Chart("Labels missing by recording and joint, %", by_recording, wide=True),
    ]


def _residual_charts(views: list[ViewData]) -> list[Block]:
    """Distances of the detections from the projected labels, by view and joint and over time."""
    by_view: dict[str, list[np.ndarray]] = {}
    by_recording: dict[str, list[np.ndarray]] = {}
    for view in views:
        residuals = residuals_percent(view)
        by_view.setdefault(view.name, []).append(residuals)
        by_recording.setdefault(view.recording.name, []).append(residuals)
    of_views = {name: np.concatenate(parts) for name, parts in by_view.items()}
    if not any(np.isfinite(values).any() for values in of_views.values()):
        return []
    flat = {name: values.ravel() for name, values in of_views.items()}
    note = "Distance of detections from projected labels; box: quartiles, whiskers: 5–95 %."
    grid = np.stack([row_medians(values.T) for values in of_views.values()])
    over_time = {name: row_medians(np.hstack(parts)) for name, parts in by_recording.items()}
    unit, medians = "% of the box height", "Medians."
    return [
        Chart("Residual by view", spread_bars(flat, unit, COLOURS["label"]), note),
        Chart(f"Residual over time, {unit}", time_map(over_time, TIME_BINS, unit), medians, wide=True),
        Chart(f"Residual by view and joint, {unit}", joint_map(grid, list(of_views), unit), medians, wide=True),
    ]


def _outcome_charts(data: ReportData) -> list[Block]:
    """The outcomes of each view's detections, and where left and right were swapped."""
    shares = detection_outcomes(data)
    if not shares:
        return []
    bars = stacked_bars(shares, "%", COLOURS["label"])
    blocks: list[Block] = [Chart("Outcomes of the detections", bars, "Share of each view's joints.", wide=True)]
    swapped = np.stack([
        100 * np.concatenate([v.swapped for v in data.by_name()[name] if v.recording.name in data.status]).mean(0)
        for name in shares
    ])  # fmt: skip
    if swapped.any():
        note = "Detections that triangulation used as the joint of the other side of the body."
        chart = joint_map(swapped, list(shares), "%", STRONGEST_PERCENT)
        blocks.append(Chart("Left and right swapped, %", chart, note, wide=True))
    return blocks


def _truth_charts(train: list[ViewData]) -> list[Block]:
    """Errors by joint."""
    if not any(view.has_truth for view in train):
        return []
    by_joint = {"labels": (COLOURS["label"], joint_errors_mm(train, "label_cam_mm", "true_cam_mm"))}
    return [Chart("Error by joint", joint_bars(by_joint, "mm (scale-aligned)"))]


def _reliability_charts(data: ReportData, train: list[ViewData], left_out: Reliability | None) -> list[Block]:
    """The stated uncertainty against errors: from the truth, and of views that were left out, which needs no truth."""
    notes = {
        "Uncertainty against the truth": (
            label_reliability(data, train),
            "Joints in ten equal groups by what is stated; each recording is aligned to its truth by one similarity.",
        ),
        "Uncertainty against views left out": (
            left_out,
            "Distance of a view's detections from the joints that the other views give, without using that view. It"
            " needs no truth, and does not see errors that all views share.",
        ),
    }
    return [
        Chart(title, stated_and_found(found.stated, found.found, found.unit, COLOURS["label"]), note + _ratio(found))
        for title, (found, note) in notes.items()
        if found is not None
    ]


def _ratio(found: Reliability) -> str:
    overall, worst = number(found.overall, 2), number(float(found.ratios.max()), 2)
    return f" Found over stated: {overall} overall, {worst} in the worst group; 1 is true, more is too certain."


def _consistency(data: ReportData) -> list[Block]:
    """A table of figures that need no truth: constancy and symmetry of bone lengths, views per joint, uncertainty."""
    rows = []
    for recording in data.capture.recordings:
        views = [v for v in data.of_recording(recording.name) if np.isfinite(v.label_cam_mm).any()]
        if not views:
            continue
        joints = views[0].label_cam_mm
        lengths = np.linalg.norm(joints[:, BONES[:, 0]] - joints[:, BONES[:, 1]], axis=-1)
        medians = row_medians(lengths.T)
        spread = STD_OF_MAD * row_medians(np.abs(lengths - medians).T)
        n_used = np.sum([v.used for v in data.of_recording(recording.name)], axis=0)
        uncertainty = row_medians(data.uncertainty_mm[recording.name].reshape(1, -1))[0]
        rows.append((
            recording.name, number(float(np.nanmedian(100 * spread / medians))), number(_asymmetry_percent(medians)),
            number(float(n_used[n_used > 0].mean())) if (n_used > 0).any() else "–", number(float(uncertainty)),
        ))  # fmt: skip
    head = ("recording", "bone variation, %", "left-right difference, %", "views per joint", "uncertainty, mm")
    note = (
        "Medians over bones: standard deviation of their lengths over the frames, and difference between the left and"
        " the right bone, both in percent of the length."
    )
    return [Table("Consistency", head, rows, note)] if rows else []


def _asymmetry_percent(lengths: np.ndarray) -> float:
    """Median difference of the left and right bones (bone,) in percent of their mean."""
    bone_to = {int(child): length for (_, child), length in zip(BONES, lengths, strict=True)}
    pairs = [(bone_to[int(j)], bone_to[int(MIRROR[j])]) for j in LEFT_JOINTS if PARENTS[j] != j]
    return float(np.nanmedian([200 * abs(a - b) / (a + b) for a, b in pairs]))
