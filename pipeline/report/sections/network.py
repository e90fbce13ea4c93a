"""The sections on the network: its figures, where it fails, example frames and a playable sequence."""

from collections.abc import Callable

import numpy as np

from pipeline import metrics
from pipeline.report.data.breakdown import Row, joint_errors_mm, label_px, network_rows, pose_errors_mm, reference_name
from pipeline.report.data.evaluate import Figures
from pipeline.report.data.measurements import Intervals
from pipeline.report.data.report_data import ReportData, ViewData, joined
from pipeline.report.page.blocks import Block, Card, Chart, Gallery, Rows, Section, Table, number
from pipeline.report.page.charts import curves, heat_map, histogram, joint_bars
from pipeline.report.page.images import crop_around, data_uri, overlay
from pipeline.report.page.scenes import pose_scene
from pipeline.report.page.theme import COLOURS, INK
from pipeline.report.sections.labels import FIGURE_TITLES, figures_table
from pipeline.video.packing import PackedFrames

OF_GROUPS = ("mpjpe_mm", "n_mpjpe_mm", "pa_mpjpe_mm", "pck150", "auc")  # figures of an action, a subject or a view
ROW_PERCENTILES = (10, 50, 90)  # of the errors, of the frames shown side by side
AGAINST = {"true_cam_mm": "the truth", "label_cam_mm": "the labels, as there is no truth"}


def predicted_test(report_data: ReportData, *, evaluation_only: bool = False) -> list[ViewData]:
    """The test recordings' views that hold predictions and something to compare them with."""
    seen = report_data.select("test", evaluation_only=evaluation_only)
    return [s for s in seen if np.isfinite(pose_errors_mm(s, "predicted_cam_mm", reference_name(s))).any()]


def network_section(report_data: ReportData, figures: Figures, intervals: Intervals) -> Section:
    """Figures on the recordings that the network has not seen, by joint, action, subject and view."""
    seen, new_view = predicted_test(report_data), predicted_test(report_data, evaluation_only=True)
    if not seen:
        return Section("network", "Network", "")
    against = reference_name(seen[0])
    columns = {"test": "unseen people", "test_new_view": "and an unseen view", "test_labels": "against labels"}
    note = (
        "Poses are placed at the true depth of the root. MPJPE: root-centred; N-: and scaled; PA-: and turned."
        " In brackets: 95 % interval over recordings."
    )
    shown = {key: title for key, title in columns.items() if key in figures}
    blocks: list[Block] = [figures_table("Figures", shown, figures, intervals, note)]
    series = {"unseen people": (COLOURS["prediction"], joint_errors_mm(seen, "predicted_cam_mm", against))}
    if new_view:
        series["and an unseen view"] = (INK, joint_errors_mm(new_view, "predicted_cam_mm", against))
    blocks.append(Chart("Error by joint", joint_bars(series, "mm (scale-aligned)")))
    poses = {name: (colour, np.concatenate([pose_errors_mm(s, "predicted_cam_mm", against) for s in group]))
             for name, colour, group in (("unseen people", COLOURS["prediction"], seen),
                                         ("and an unseen view", INK, new_view)) if group}  # fmt: skip
    blocks.append(Chart("Distribution of N-MPJPE", histogram(poses, "mm")))
    if against == "true_cam_mm":
        blocks.append(Chart("PCK", _pck_chart(report_data)))
    blocks += _tables(report_data, seen + new_view)
    names = list(dict.fromkeys(s.recording.name for s in seen))
    grid = [joint_errors_mm([s for s in seen if s.recording.name == n], "predicted_cam_mm", against) for n in names]
    blocks.append(Chart("Error by recording and joint, mm", heat_map(np.stack(grid), names, "mm"), wide=True))
    lead = f"Predictions from single images of people the network was not trained on, against {AGAINST[against]}."
    return Section("network", "Network", lead, blocks)


def pck_curves(report_data: ReportData) -> dict[str, tuple[str, np.ndarray]]:
    """PCK in percent at each of `metrics.AUC_THRESHOLDS_MM`, by what is measured: name -> (colour, values)."""
    groups = {
        "labels": (COLOURS["label"], report_data.select("train") if report_data.metric else [], "label_cam_mm"),
        "network": (COLOURS["prediction"], predicted_test(report_data), "predicted_cam_mm"),
        "network, new view": (INK, predicted_test(report_data, evaluation_only=True), "predicted_cam_mm"),
    }
    found = {}
    for name, (colour, seen, array) in groups.items():
        predicted, true = joined(seen, array), joined(seen, "true_cam_mm")
        values = metrics.mean(metrics.pck_curve(predicted, true, metrics.AUC_THRESHOLDS_MM), axis=0)
        if np.isfinite(values).all():
            found[name] = (colour, values)
    return found


def _pck_chart(report_data: ReportData) -> str:
    return curves(pck_curves(report_data), metrics.AUC_THRESHOLDS_MM, "threshold, mm", "% of joints within")


def _tables(report_data: ReportData, seen: list[ViewData]) -> list[Block]:
    keys: dict[str, Callable[[ViewData], str]] = {
        "action": lambda s: s.recording.action,
        "subject": lambda s: s.recording.subject,
        "view": lambda s: s.view.name + (" (unseen)" if s.view.evaluation_only else ""),
    }
    trained_views = [s for s in seen if not s.view.evaluation_only]
    groups = {"action": trained_views, "subject": trained_views, "view": seen}
    return [_rows_table(name, network_rows(groups[name], report_data, key)) for name, key in keys.items()]


def _rows_table(name: str, rows: list[Row]) -> Table:
    keys = [key for key in OF_GROUPS if any(key in row.figures for row in rows)]
    keys += [key for key in rows[0].figures if key.startswith("pss")]
    keys = [key for key in keys if any(np.isfinite(row.figures.get(key, np.nan)) for row in rows)]
    titles = [FIGURE_TITLES.get(key, f"PSS@{key[3:]}, %") for key in keys]
    lines = [(row.name, f"{row.n_poses:,}", *(number(row.figures.get(key)) for key in keys)) for row in rows]
    return Table(f"By {name}", (name, "poses", *titles), lines)


def ranked_predictions(report_data: ReportData) -> list[tuple[float, int, ViewData]]:
    """Error in mm, frame and view of every prediction that can be measured, the best first."""
    found = [
        (float(error), i, s)
        for s in predicted_test(report_data)
        for i, error in enumerate(pose_errors_mm(s, "predicted_cam_mm", reference_name(s)))
        if np.isfinite(error)
    ]
    return sorted(found, key=lambda one: one[0])


def example_section(report_data: ReportData, n: int) -> Section:
    """Example frames from the best to the worst, evenly spread over the ranking."""
    ranked = ranked_predictions(report_data)
    if not ranked:
        return Section("examples", "Examples", "")
    ranks = np.unique(np.linspace(0, len(ranked) - 1, min(n, len(ranked))).round().astype(int))
    cards = [example_card(*ranked[rank], place=_place(int(rank), len(ranked))) for rank in ranks]
    lead = "From the best to the worst frame, evenly spread over the ranking. Drag the skeletons to turn them."
    return Section("examples", "Examples", lead, [Gallery("", cards), _rows(ranked, report_data.supervision)])


def _rows(ranked: list[tuple[float, int, ViewData]], supervision: str) -> Rows:
    """An easy, a middling and a hard frame: the image, the truth, what several views give and what one view gives."""
    taught = {"self": "taught by labels", "full": "taught by the truth"}.get(supervision, supervision)
    names = {"label": "label, from all views", "prediction": f"network, from this image, {taught}"}
    names = {"truth": "truth", **names} if ranked[0][2].has_truth else names
    rows = []
    for percentile in ROW_PERCENTILES:
        _, frame, seen = ranked[round(percentile / 100 * (len(ranked) - 1))]
        crop = crop_around(seen.box_px[frame].reshape(2, 2), seen.view.size_px)
        image = data_uri(crop.cut(PackedFrames(seen.view.file)[frame]))
        poses = {"truth": seen.true_cam_mm, "label": seen.label_cam_mm, "prediction": seen.predicted_cam_mm}
        scenes = [Card(names[name], scene=pose_scene({name: poses[name][frame]})) for name in names]
        rows.append([Card(f"{seen.recording.name}, {seen.view.name}, frame {frame}", image), *scenes])
    return Rows("Side by side", ("image", *names.values()), rows)


def _place(rank: int, n: int) -> str:
    if rank == 0:
        return "Best"
    return "Worst" if rank == n - 1 else f"{100 * rank / (n - 1):.0f} % are better"


def example_card(error_mm: float, frame: int, seen: ViewData, *, place: str) -> Card:
    """A prediction's picture and skeletons beside the truth, or the label where there is none."""
    image = PackedFrames(seen.view.file)[frame]
    skeletons = {"truth": seen.true_px[frame], "prediction": seen.predicted_px[frame]}
    if not seen.has_truth:
        skeletons = {"label": label_px(seen)[frame], "prediction": seen.predicted_px[frame]}
    poses = {
        "truth": seen.true_cam_mm[frame], "label": seen.label_cam_mm[frame],
        "prediction": seen.predicted_cam_mm[frame],
    }  # fmt: skip
    caption = f"{place}: {number(error_mm)} mm. {seen.recording.name}, {seen.view.name}, frame {frame}"
    return Card(caption, overlay(image, skeletons), pose_scene(poses))
