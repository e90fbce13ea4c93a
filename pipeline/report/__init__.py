"""The report: figures for `dvc metrics`, tables for `dvc plots` and one self-contained page for people."""

import json
import logging
import time
from pathlib import Path

from pipeline.files import atomic_write, why_absent
from pipeline.params.file import Params
from pipeline.report.data.breakdown import rejections
from pipeline.report.data.evaluate import Figures, evaluate
from pipeline.report.data.measurements import Intervals, intervals, measured, write_measured
from pipeline.report.data.report_data import Files, ReportData, gather
from pipeline.report.page.blocks import Section
from pipeline.report.page.render import render
from pipeline.report.plots import write_plots
from pipeline.report.sections.capture import capture_section, detector_section
from pipeline.report.sections.labels import label_section
from pipeline.report.sections.network import example_section, network_section
from pipeline.report.sections.overview import answers
from pipeline.report.sections.papers import paper_section
from pipeline.report.sections.provenance import run_section, training_section
from pipeline.report.sections.pss import pss_section
from pipeline.report.sections.rig import rig_section
from pipeline.report.sections.sequences import sequence_section
from pipeline.stores import RIGS, open_store

log = logging.getLogger("epiline")


def write_report(data: Path, models: Path, reports: Path, params: Params) -> None:
    """Write `metrics.json`, `breakdown.csv`, the tables of `plots/` and `index.html` into the folder `reports`."""
    start = time.monotonic()
    files = Files(data, models, reports)
    report_data = gather(files, files.labels)
    known = None if why_absent(files.baseline) else gather(files, files.baseline / "labels.zarr")
    table = measured(report_data, known)
    figures = evaluate(report_data, known, open_store(files.rigs, RIGS), table)
    write_measured(reports / "breakdown.csv", table)
    write_plots(reports / "plots", report_data)
    spread = intervals(table)
    sections = _sections(files, report_data, figures, spread, params.report.examples)
    resources = files.resources()
    resources["report"] = {"seconds": round(time.monotonic() - start, 1)}
    sections.append(run_section(files, report_data, resources, params))
    subtitle = (
        f"Source “{report_data.capture.source}”, {sum(one['seconds'] for one in resources.values()) / 60:.1f} minutes."
    )
    page = render("Epiline report", subtitle, answers(report_data, figures, spread, rejections(report_data)), sections)
    figures["seconds"] = {stage: one["seconds"] for stage, one in resources.items()}
    peaks = [one["peak_mib"] for one in resources.values() if "peak_mib" in one]
    if peaks:
        figures["peak_mib"] = max(peaks)
    with atomic_write(reports / "metrics.json") as aside:
        aside.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")
    with atomic_write(reports / "index.html") as aside:
        aside.write_text(page, encoding="utf-8")
    _log(figures)


def _sections(
    files: Files, report_data: ReportData, figures: Figures, spread: Intervals, n_examples: int
) -> list[Section]:
    return [
        example_section(report_data, n_examples),
        sequence_section(report_data),
        network_section(report_data, figures, spread),
        pss_section(report_data, figures),
        label_section(report_data, figures, spread, rejections(report_data), n_examples),
        rig_section(report_data, open_store(files.rigs, RIGS), figures.get("rig", {})),
        detector_section(report_data, figures.get("detector", {})),
        capture_section(report_data),
        paper_section(figures),
        training_section(files),
    ]


def _log(figures: Figures) -> None:
    reported = [
        f"{name} N-MPJPE {figures[name]['n_mpjpe_mm']} mm"
        for name in ("labels", "labels_known", "test", "test_new_view", "test_labels")
        if "n_mpjpe_mm" in figures.get(name, {})
    ]
    log.info("Report: %s", ", ".join([f"coverage {figures['labels']['coverage']} %", *reported]))
