"""The report: figures for `dvc metrics`, tables for `dvc plots` and one self-contained page for people."""

import json
import logging
import time
from pathlib import Path

from pipeline.params import Params
from pipeline.report.audit import label_section
from pipeline.report.blocks import Section
from pipeline.report.breakdown import rejections
from pipeline.report.evaluate import Figures, evaluate
from pipeline.report.footage import capture_section, detector_section
from pipeline.report.known import gather_with_known_rig
from pipeline.report.material import Files, Material, gather
from pipeline.report.measured import Intervals, intervals, measured, write_measured
from pipeline.report.motion import sequence_section
from pipeline.report.overview import answers
from pipeline.report.page import render
from pipeline.report.papers import paper_section
from pipeline.report.plots import write_plots
from pipeline.report.provenance import run_section, training_section
from pipeline.report.results import example_section, network_section
from pipeline.report.rig import rig_section
from pipeline.report.shapes import structure_section
from pipeline.stage import whole
from pipeline.stores import RIGS, reading

log = logging.getLogger("epiline")


def write_report(data: Path, models: Path, reports: Path, params: Params) -> None:
    """Write `metrics.json`, `breakdown.csv`, the tables of `plots/` and `index.html` into the folder `reports`."""
    start = time.monotonic()
    files = Files(data, models, reports)
    material = gather(files, files.labels)
    known = gather_with_known_rig(files, material, params.calibrate, params.triangulate)
    table = measured(material, known)
    figures = evaluate(material, known, reading(files.rigs, RIGS), table)
    write_measured(reports / "breakdown.csv", table)
    write_plots(reports / "plots", material)
    spread = intervals(table)
    sections = _sections(files, material, figures, spread, params.report.examples)
    costs = files.costs()
    costs["report"] = {"seconds": round(time.monotonic() - start, 1)}
    sections.append(run_section(files, material, costs, params))
    subtitle = f"Source “{material.capture.source}”, {sum(one['seconds'] for one in costs.values()) / 60:.1f} minutes."
    page = render("Epiline report", subtitle, answers(material, figures, spread, rejections(material)), sections)
    figures["seconds"] = {stage: one["seconds"] for stage, one in costs.items()}
    peaks = [one["peak_mib"] for one in costs.values() if "peak_mib" in one]
    if peaks:
        figures["peak_mib"] = max(peaks)
    with whole(reports / "metrics.json") as aside:
        aside.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")
    with whole(reports / "index.html") as aside:
        aside.write_text(page, encoding="utf-8")
    _log(figures)


def _sections(files: Files, material: Material, figures: Figures, spread: Intervals, n_examples: int) -> list[Section]:
    return [
        example_section(material, n_examples),
        sequence_section(material),
        network_section(material, figures, spread),
        structure_section(material, figures),
        label_section(material, figures, spread, rejections(material), n_examples),
        rig_section(material, reading(files.rigs, RIGS), figures.get("rig", {})),
        detector_section(material, figures.get("detector", {})),
        capture_section(material),
        paper_section(figures),
        training_section(files),
    ]


def _log(figures: Figures) -> None:
    told = [
        f"{name} N-MPJPE {figures[name]['n_mpjpe_mm']} mm"
        for name in ("labels", "labels_known", "test", "test_new_view", "test_labels")
        if "n_mpjpe_mm" in figures.get(name, {})
    ]
    log.info("Report: %s", ", ".join([f"coverage {figures['labels']['coverage']} %", *told]))
