"""The label audit: how many labels there are, how far from the images and the truth, what was rejected, and where."""

from collections.abc import Sequence

import numpy as np

from pipeline import metrics
from pipeline.geometry.triangulation.labelling import Status
from pipeline.report.data.breakdown import joint_errors_mm, label_px, pose_errors_mm, residuals_percent
from pipeline.report.data.evaluate import Figures
from pipeline.report.data.measurements import Intervals
from pipeline.report.data.report_data import ReportData, ViewData
from pipeline.report.page.blocks import Block, Card, Chart, Gallery, Section, Table, number, percent
from pipeline.report.page.charts import (
    heat_map,
    joint_bars,
    named_bars,
    reliability,
    spread_bars,
    stacked_bars,
    time_map,
)
from pipeline.report.page.images import overlay
from pipeline.report.page.scenes import pose_scene
from pipeline.report.page.theme import COLOURS, JOINT_TITLES
from pipeline.skeleton import BONES, LEFT_JOINTS, MIRROR, PARENTS
from pipeline.video.packing import PackedFrames

APART_S = 1.0  # worst frames closer in time than this are the same event
TIME_BINS, UNCERTAINTY_BINS = 60, 10
USED_FATES = ("used", "exchanged")  # of the views' detections that made a label
NOTICED = 10.0  # percent of labels missing that is drawn in the strongest colour, or more
FIGURE_TITLES = {
    "mpjpe_mm": "MPJPE, mm", "n_mpjpe_mm": "N-MPJPE, mm", "pa_mpjpe_mm": "PA-MPJPE, mm", "pck150": "PCK@150 mm, %",
    "n_pck150": "N-PCK@150 mm, %", "auc": "AUC, %", "coverage": "coverage, %", "bone_mm": "bone length error, mm",
    "velocity_mm_s": "velocity error, mm/s", "reprojection_px": "reprojection error, px",
}  # fmt: skip


def label_section(
    report_data: ReportData, figures: Figures, intervals: Intervals, rejected: dict[str, int], n: int
) -> Section:
    """Coverage, residuals by camera and joint, rejections by reason, errors where there is truth, the worst frames."""
    seen = [s for s in report_data.seen if not s.view.evaluation_only]
    train, labels = report_data.select("train"), figures["labels"]
    blocks: list[Block] = [Gallery("Worst frames", [worst_card(*w) for w in worst_frames(train or seen, n)],
                                   "The label drawn over the detection.")]  # fmt: skip
    if "n_mpjpe_mm" in labels:
        blocks.append(_label_table(figures, intervals))
    blocks += _rejection_charts(report_data, rejected)
    blocks += [*_fate_charts(report_data), *_residual_charts(seen)]
    blocks += _truth_charts(report_data, train)
    blocks += _consistency(report_data)
    covered = f"{percent(labels['coverage'])} % of the joints of the training frames have a label."
    truth = "" if "n_mpjpe_mm" in labels else (
        " There is no truth to hold them against: what follows says how far labels agree with the images and with"
        " themselves, which is necessary but not enough."
    )  # fmt: skip
    return Section("labels", "Labels", covered + truth, blocks)


def _label_table(figures: Figures, intervals: Intervals) -> Table:
    columns = {"labels": "these labels", "labels_known": "with the true cameras"}
    note = (
        "Training recordings against the truth, in the frames of the cameras that made the labels."
        " In brackets: 95 % interval over recordings."
    )
    return figures_table(
        "Against the truth", {k: t for k, t in columns.items() if k in figures}, figures, intervals, note
    )


def figures_table(title: str, columns: dict[str, str], figures: Figures, intervals: Intervals, note: str) -> Table:
    """Figures of some parts, named by their keys in metrics.json, side by side, each with its interval."""
    scores = sorted(
        {key for part in columns for key in figures[part] if key[:3] == "pss"}, key=lambda key: int(key[3:])
    )
    titles = {**FIGURE_TITLES, **{key: f"PSS@{key[3:]}, %" for key in scores}}
    rows = [
        (name, *(_with_interval(figures[part].get(key), intervals.get((part, key))) for part in columns))
        for key, name in titles.items()
        if any(key in figures[part] for part in columns)
    ]
    return Table(title, ("", *columns.values()), rows, note)


def _with_interval(value: float | None, interval: tuple[float, float] | None) -> str:
    reported = number(value)
    return (
        reported if interval is None or value is None else f"{reported} ({number(interval[0])}–{number(interval[1])})"
    )


def _rejection_charts(report_data: ReportData, rejected: dict[str, int]) -> list[Block]:
    """Joints without a label by reason, by recording and joint, and over time."""
    if not rejected:
        return []
    missing = {name: 100.0 * (status != Status.VALID) for name, status in report_data.status.items()}
    by_joint = np.stack([one.mean(0) for one in missing.values()])
    over_time = {name: one.mean(1) for name, one in missing.items()}
    return [
        Chart("Joints without a label, by reason", named_bars(dict(rejected), "joints")),
        Chart("Labels missing over time, %", time_map(over_time, TIME_BINS, "%", NOTICED), wide=True),
        Chart("Labels missing by recording and joint, %", heat_map(by_joint, list(missing), "%", NOTICED), wide=True),
    ]  # fmt: skip


def _residual_charts(seen: list[ViewData]) -> list[Block]:
    """Distances of the detections from the projected labels, by view and joint."""
    views = {name: [s for s in seen if s.view.name == name] for name in dict.fromkeys(s.view.name for s in seen)}
    residuals = {name: np.concatenate([residuals_percent(s) for s in group]) for name, group in views.items()}
    if not any(np.isfinite(values).any() for values in residuals.values()):
        return []
    flat = {name: values.ravel() for name, values in residuals.items()}
    note = "Distance of detections from projected labels; box: quartiles, whiskers: 5–95 %."
    grid = np.stack([_column_medians(values) for values in residuals.values()])
    over_time: dict[str, np.ndarray] = {}
    for name in dict.fromkeys(s.recording.name for s in seen):
        over_time[name] = _row_medians(np.hstack([residuals_percent(s) for s in seen if s.recording.name == name]))
    unit, medians = "% of the box height", "Medians."
    return [
        Chart("Residual by view", spread_bars(flat, unit, COLOURS["label"]), note),
        Chart(f"Residual over time, {unit}", time_map(over_time, TIME_BINS, unit), medians, wide=True),
        Chart(f"Residual by view and joint, {unit}", heat_map(grid, list(residuals), unit), medians, wide=True),
    ]


def _fate_charts(report_data: ReportData) -> list[Block]:
    """What became of each view's detections, and where left and right were exchanged."""
    detection_outcomes: dict[str, np.ndarray] = {}  # view -> code of each detection (frame, joint)
    for recording in report_data.capture.recordings:
        if recording.name in report_data.view_status:
            for v in recording.view_indices(for_labels=True):
                own = report_data.view_status[recording.name][:, v]
                name = recording.views[v].name
                detection_outcomes[name] = (
                    np.concatenate([detection_outcomes[name], own]) if name in detection_outcomes else own
                )
    if not detection_outcomes:
        return []
    shares = {
        view: {
            title: 100 * float(np.mean(own == code))
            for code, title in report_data.detection_outcomes.items()
            if (own == code).any()
        }
        for view, own in detection_outcomes.items()
    }
    swapped = np.stack(
        [100 * np.isin(own, _codes(report_data, ["exchanged"])).mean(0) for own in detection_outcomes.values()]
    )
    blocks: list[Block] = [
        Chart(
            "What became of the detections",
            stacked_bars(shares, "%", COLOURS["label"]),
            "Of every joint, view by view.",
            wide=True,
        )
    ]
    if swapped.any():
        title, note = "Left and right exchanged, %", "Detections that were used as the joint of the other side."
        blocks.append(Chart(title, heat_map(swapped, list(detection_outcomes), "%", NOTICED), note, wide=True))
    return blocks


def _codes(report_data: ReportData, names: Sequence[str]) -> list[int]:
    return [code for code, name in report_data.detection_outcomes.items() if name in names]


def _truth_charts(report_data: ReportData, train: list[ViewData]) -> list[Block]:
    """Errors by joint, and whether the stated uncertainty is the error made."""
    if not any(s.has_truth for s in train):
        return []
    by_joint = {"labels": (COLOURS["label"], joint_errors_mm(train, "label_cam_mm", "true_cam_mm"))}
    blocks: list[Block] = [Chart("Error by joint", joint_bars(by_joint, "mm (scale-aligned)"))]
    reported, made = [], []
    for one in train:
        if one.recording.name in report_data.uncertainty_mm:
            aligned = metrics.similarity_aligned(one.label_cam_mm, one.true_cam_mm)
            reported.append(report_data.uncertainty_mm[one.recording.name].ravel())
            made.append(metrics.joint_errors(aligned, one.true_cam_mm).ravel())
    if reported and np.isfinite(np.concatenate(reported)).any():
        chart = reliability(
            np.concatenate(reported), np.concatenate(made), UNCERTAINTY_BINS, "uncertainty told, mm", "error, mm",
            COLOURS["label"], equal=True,
        )  # fmt: skip
        note = "Joints in equal parts by their uncertainty; on the dashed line it tells the error (after alignment)."
        blocks.append(Chart("Is the uncertainty true?", chart, note))
    return blocks


def _consistency(report_data: ReportData) -> list[Block]:
    """What labels say of themselves: steadiness of bones, left against right, views used, uncertainty."""
    rows = []
    for recording in report_data.capture.recordings:
        seen = [s for s in report_data.seen if s.recording.name == recording.name and np.isfinite(s.label_cam_mm).any()]
        if not seen:
            continue
        lengths = np.linalg.norm(seen[0].label_cam_mm[:, BONES[:, 0]] - seen[0].label_cam_mm[:, BONES[:, 1]], axis=-1)
        medians = _column_medians(lengths)
        spread = _column_medians(np.abs(lengths - medians)) * 1.4826  # a normal distribution's standard deviation
        used = np.isin(report_data.view_status[recording.name], _codes(report_data, USED_FATES)).sum(1)
        rows.append((
            recording.name, number(float(np.nanmedian(100 * spread / medians))), number(_asymmetry_percent(medians)),
            number(float(used[used > 0].mean())) if (used > 0).any() else "–",
            number(float(_row_medians(report_data.uncertainty_mm[recording.name].reshape(1, -1))[0])),
        ))  # fmt: skip
    head = ("recording", "bones vary by, %", "left against right, %", "views a joint", "uncertainty, mm")
    note = "Medians over bones: how much their lengths vary over the frames, and how far left and right differ."
    return [Table("Consistency", head, rows, note)] if rows else []


def _asymmetry_percent(lengths: np.ndarray) -> float:
    """Median difference of the left and right bones (bone,) in percent of their mean."""
    bone_to = {int(child): length for (_, child), length in zip(BONES, lengths, strict=True)}
    pairs = [(bone_to[int(j)], bone_to[int(MIRROR[j])]) for j in LEFT_JOINTS if PARENTS[j] != j]
    return float(np.nanmedian([200 * abs(a - b) / (a + b) for a, b in pairs]))


def worst_frames(seen: list[ViewData], n: int) -> list[tuple[float, int, ViewData]]:
    """The n frames whose labels are furthest from the truth (or the detections), no two of one event."""
    ranked: list[tuple[float, int, ViewData]] = []
    for one in seen:
        off = (
            pose_errors_mm(one, "label_cam_mm", "true_cam_mm")
            if one.has_truth
            else _row_medians(residuals_percent(one))
        )
        ranked += [(float(off[frame]), int(frame), one) for frame in np.flatnonzero(np.isfinite(off))]
    ranked.sort(key=lambda found: -found[0])
    chosen: list[tuple[float, int, ViewData]] = []
    for badness, frame, one in ranked:
        apart = APART_S * one.recording.fps
        if all(one.recording.name != c.recording.name or abs(frame - i) >= apart for _, i, c in chosen):
            chosen.append((badness, frame, one))
        if len(chosen) == n:
            break
    return chosen


def label_badness(seen: ViewData) -> np.ndarray:
    """N-MPJPE of each frame's label in mm, or without truth its median residual in % of the box height, (frame,)."""
    if seen.has_truth:
        return pose_errors_mm(seen, "label_cam_mm", "true_cam_mm")
    return _row_medians(residuals_percent(seen))


def worst_card(badness: float, frame: int, seen: ViewData) -> Card:
    """A bad label's picture and skeletons; a blamed joint is named."""
    skeletons = {"truth": seen.true_px[frame], "detection": seen.detected_px[frame], "label": label_px(seen)[frame]}
    off = f"{number(badness)} mm" if seen.has_truth else f"{number(badness)} % of the box height"
    poses = {"truth": seen.true_cam_mm[frame], "label": seen.label_cam_mm[frame]}
    caption = f"{seen.recording.name}, {seen.view.name}, frame {frame}: {off}, most at the {_most_off(seen, frame)}"
    return Card(caption, overlay(PackedFrames(seen.view.file)[frame], skeletons), pose_scene(poses))


def _most_off(seen: ViewData, frame: int) -> str:
    if seen.has_truth:
        true = seen.true_cam_mm[frame]
        off = metrics.joint_errors(metrics.scale_aligned(seen.label_cam_mm[frame], true), metrics.root_centred(true))
    else:
        off = residuals_percent(seen)[frame]
    return JOINT_TITLES[int(np.nanargmax(off))]


def _row_medians(values: np.ndarray) -> np.ndarray:
    some = np.isfinite(values).any(1)
    return np.where(some, np.nanmedian(np.where(some[:, None], values, 0), axis=1), np.nan)


def _column_medians(values: np.ndarray) -> np.ndarray:
    return _row_medians(values.T)
