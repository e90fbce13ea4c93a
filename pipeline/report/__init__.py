"""The report: figures for `dvc metrics`, tables for `dvc plots` and one self-contained page."""

import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

from pipeline.alerts import LEVELS, Alert, worst_first
from pipeline.files import atomic_write
from pipeline.params.file import Params
from pipeline.report.data.alerts import collect_alerts, count_alerts, grouped, verdict, write_alerts
from pipeline.report.data.breakdown import rejections
from pipeline.report.data.evaluate import Figures, evaluate
from pipeline.report.data.files import Files
from pipeline.report.data.measurements import Intervals, intervals, measure_capture, write_table
from pipeline.report.data.reliability import label_reliability, left_out_reliability, write_reliability
from pipeline.report.data.report_data import Alternatives, ReportData, gather, gather_alternatives
from pipeline.report.data.rig_reliability import StatedRig
from pipeline.report.data.truth_checks import truth_alerts
from pipeline.report.page.blocks import Section
from pipeline.report.page.render import render
from pipeline.report.plots import write_plots
from pipeline.report.sections.alerts import alert_section, first_screen_verdict, flags
from pipeline.report.sections.capture import capture_section
from pipeline.report.sections.detector import detector_section
from pipeline.report.sections.examples import example_section
from pipeline.report.sections.labels import label_section
from pipeline.report.sections.network import network_section
from pipeline.report.sections.overview import answers
from pipeline.report.sections.papers import paper_section
from pipeline.report.sections.provenance import run_section, training_section
from pipeline.report.sections.pss import pss_section
from pipeline.report.sections.rig import rig_section
from pipeline.report.sections.sequences import sequence_section
from pipeline.stores import LABELS, RIGS, RigStore, open_store
from pipeline.truth import open_truth

log = logging.getLogger("epiline")
MAX_LOGGED, LONGEST_LINE = 8, 300  # groups of alerts that the log shows, and characters of each


def write_report(data_folder: Path, models: Path, reports: Path, params: Params) -> None:
    """Write `metrics.json`, `alerts.json`, `breakdown.csv`, the tables of `plots/` and `index.html` into `reports`.

    Raises UserError for stores that are inconsistent with the capture or with each other.
    """
    start = time.monotonic()
    files = Files(data_folder, models, reports)
    data = gather(files)
    truth = open_truth(files.truth, files.labels, files.rigs)
    alerts = worst_first([*collect_alerts(files, data.capture), *truth_alerts(data, truth)])
    alternatives = gather_alternatives(files, data)
    rigs = open_store(files.rigs, RIGS)
    table = measure_capture(data, alternatives)
    figures = evaluate(data, alternatives, rigs, table)
    write_table(reports / "breakdown.csv", table)
    write_plots(reports / "plots", data, alternatives)
    write_reliability(reports / "plots/label_reliability.csv", label_reliability(data, data.select("train")))
    spread = intervals(table)
    sections = _sections(files, data, alternatives, rigs, figures, spread, params, alerts)
    resources = files.stage_resources()
    resources["report"] = {"seconds": round(time.monotonic() - start, 1)}
    sections.append(run_section(files, data, resources, params))
    figures["seconds"] = {stage: one["seconds"] for stage, one in resources.items()}
    peaks = [one["peak_mib"] for one in resources.values() if "peak_mib" in one]
    if peaks:
        figures["peak_mib"] = max(peaks)
    subtitle = f"Source “{data.capture.source}”, {sum(figures['seconds'].values()) / 60:.1f} minutes."
    figures["alerts"] = count_alerts(alerts)
    first = answers(data, alternatives, figures, spread, rejections(data), StatedRig.of(rigs), flags(alerts))
    names = _kinds_of_poses(data, alternatives)
    page = render("Epiline report", subtitle, first, sections, names, first_screen_verdict(alerts))
    write_alerts(reports / "alerts.json", alerts)
    with atomic_write(reports / "metrics.json") as aside:
        aside.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")
    with atomic_write(reports / "index.html") as aside:
        aside.write_text(page, encoding="utf-8")
    _log(figures, alerts, reports)


def _sections(
    files: Files, data: ReportData, alternatives: Alternatives, rigs: RigStore, figures: Figures, spread: Intervals,
    params: Params, alerts: Sequence[Alert],
) -> list[Section]:  # fmt: skip
    n = params.report.examples
    return [
        example_section(data, alternatives, n),
        sequence_section(data),
        network_section(data, alternatives, figures, spread),
        pss_section(data, figures),
        label_section(
            data, figures, spread, rejections(data), n, left_out_reliability(open_store(files.labels, LABELS))
        ),
        rig_section(data, rigs, figures.get("rig", {}), alerts),
        detector_section(data, figures.get("detector", {})),
        capture_section(data),
        alert_section(alerts),
        paper_section(figures, params),
        training_section(files),
    ]


def _kinds_of_poses(data: ReportData, alternatives: Alternatives) -> list[str]:
    """The kinds of poses in the legend, which are those that the page shows."""
    shown = {
        "truth": any(view.has_truth for view in data.views), "label": True, "prediction": bool(data.supervision),
        "detection": True, "refined": bool(alternatives.refined),
    }  # fmt: skip
    return [name for name, is_shown in shown.items() if is_shown]


def _log(figures: Figures, alerts: Sequence[Alert], reports: Path) -> None:
    """Log the main figures, and last the worst alerts, in few lines."""
    errors = [f"{part} N-MPJPE {one['n_mpjpe_mm']} mm" for part, one in figures.items()
              if isinstance(one, dict) and "n_mpjpe_mm" in one]  # fmt: skip
    log.info("Report: %s", ", ".join([f"coverage {figures['labels']['coverage']} %", *errors]))
    groups = grouped(alerts)
    for group in groups[:MAX_LOGGED]:
        log.log(LEVELS[group.severity], "%s", shorten(str(group), LONGEST_LINE, placeholder=" ..."))
    where = f"{reports / 'index.html'} and {reports / 'alerts.json'}"
    log.info("Alerts: %s; see %s", verdict(count_alerts(alerts)), where)
