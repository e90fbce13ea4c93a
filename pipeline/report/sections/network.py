"""The section on the network: its figures, and its errors by joint, recording and group."""

from collections.abc import Callable

import numpy as np

from pipeline import metrics
from pipeline.report.data.breakdown import (
    Row,
    joint_errors_mm,
    network_rows,
    pose_errors_mm,
    predicted_test,
    reference_name,
)
from pipeline.report.data.curves import pck_curves
from pipeline.report.data.evaluate import Figures
from pipeline.report.data.measurements import Intervals
from pipeline.report.data.parts import TITLES, refined_part
from pipeline.report.data.report_data import Alternatives, ReportData, ViewData
from pipeline.report.page.blocks import Block, Chart, Section, Table, number
from pipeline.report.page.charts import curves, histogram, joint_bars, joint_map
from pipeline.report.page.theme import COLOURS, INK, REFINED_COLOURS
from pipeline.report.sections.tables import FIGURE_TITLES, figures_table, is_score

GROUP_FIGURES = ("mpjpe_mm", "n_mpjpe_mm", "pa_mpjpe_mm", "pck150", "auc")  # of an action, a subject or a view
AGAINST = {"true_cam_mm": "the truth", "label_cam_mm": "the labels, because there is no truth"}


def network_section(data: ReportData, alternatives: Alternatives, figures: Figures, intervals: Intervals) -> Section:
    """Figures of the network and its refined predictions on test recordings, by joint, action, subject and view."""
    test, new_view = predicted_test(data), predicted_test(data, evaluation_only=True)
    if not test:
        return Section("network", "Network", "")
    against = reference_name(test[0])
    groups = {"unseen people": (COLOURS["prediction"], test), "unseen people and view": (INK, new_view)}
    groups |= {
        f"refined on {source}": (REFINED_COLOURS[source], predicted_test(refined))
        for source, refined in alternatives.refined.items()
    }
    groups = {name: group for name, group in groups.items() if group[1]}
    by_joint = {name: (c, joint_errors_mm(views, "predicted_cam_mm", against)) for name, (c, views) in groups.items()}
    by_pose = {
        name: (c, np.concatenate([pose_errors_mm(v, "predicted_cam_mm", against) for v in views]))
        for name, (c, views) in groups.items()
    }
    blocks: list[Block] = [_figures_table(figures, intervals, alternatives)]
    blocks.append(Chart("Error by joint", joint_bars(by_joint, "mm (scale-aligned)")))
    blocks.append(Chart("Distribution of N-MPJPE", histogram(by_pose, "mm")))
    if against == "true_cam_mm":
        blocks.append(Chart("PCK", _pck_chart(data, alternatives)))
    blocks += _group_tables(data, test + new_view)
    names = list(dict.fromkeys(view.recording.name for view in test))
    grid = [joint_errors_mm([v for v in test if v.recording.name == n], "predicted_cam_mm", against) for n in names]
    blocks.append(Chart("Error by recording and joint, mm", joint_map(np.stack(grid), names, "mm"), wide=True))
    lead = f"Predictions from single images of people the network was not trained on, compared with {AGAINST[against]}."
    return Section("network", "Network", lead, blocks)


def _figures_table(figures: Figures, intervals: Intervals, alternatives: Alternatives) -> Table:
    columns = dict(TITLES)
    for source in alternatives.refined:
        columns |= {refined_part(part, source): f"refined on {source}, {title}" for part, title in TITLES.items()}
    note = (
        "Poses are placed at the true depth of the root. MPJPE: after centring on the root; N-MPJPE: after scaling too;"
        " PA-MPJPE: after scaling and rotation. In brackets: 95 % interval over recordings."
    )
    if alternatives.refined:
        note += " Refined: the network's poses after the refinement unit, trained on the source named."
    return figures_table("Figures", {k: t for k, t in columns.items() if k in figures}, figures, intervals, note)


def _pck_chart(data: ReportData, alternatives: Alternatives) -> str:
    colours = {"labels": COLOURS["label"], "network": COLOURS["prediction"], "network, new view": INK}
    colours |= {f"refined on {source}": colour for source, colour in REFINED_COLOURS.items()}
    series = {name: (colours[name], values) for name, values in pck_curves(data, alternatives).items()}
    return curves(series, metrics.AUC_THRESHOLDS_MM, "threshold, mm", "% of joints within")


def _group_tables(data: ReportData, views: list[ViewData]) -> list[Block]:
    keys: dict[str, Callable[[ViewData], str]] = {
        "action": lambda view: view.recording.action,
        "subject": lambda view: view.recording.subject,
        "view": lambda view: view.name + (" (unseen)" if view.evaluation_only else ""),
    }
    labelling_views = [view for view in views if not view.evaluation_only]
    groups = {"action": labelling_views, "subject": labelling_views, "view": views}
    return [_rows_table(name, network_rows(groups[name], data, key)) for name, key in keys.items()]


def _rows_table(name: str, rows: list[Row]) -> Table:
    keys = [key for key in GROUP_FIGURES if any(key in row.figures for row in rows)]
    keys += [key for key in rows[0].figures if is_score(key)]
    keys = [key for key in keys if any(np.isfinite(row.figures.get(key, np.nan)) for row in rows)]
    titles = [FIGURE_TITLES.get(key, f"PSS@{key[3:]}, %") for key in keys]
    lines = [(row.name, f"{row.n_poses:,}", *(number(row.figures.get(key)) for key in keys)) for row in rows]
    return Table(f"By {name}", (name, "poses", *titles), lines)
