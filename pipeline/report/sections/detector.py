"""The section on the detections of the frozen detector."""

import numpy as np

from pipeline import metrics
from pipeline.report.data.breakdown import detector_rows
from pipeline.report.data.evaluate import Figures
from pipeline.report.data.report_data import ReportData, ViewData, joined
from pipeline.report.page.blocks import Block, Card, Chart, Gallery, Section, Table, number, percent
from pipeline.report.page.charts import joint_map, reliability, spread_bars
from pipeline.report.page.images import overlay
from pipeline.report.page.theme import COLOURS

CONFIDENCE_BINS = 10


def detector_section(data: ReportData, figures: Figures) -> Section:
    """Errors of the detector, the reliability of its confidence, and the number of images on which it crashed."""
    has_truth = "error_px" in figures
    head: tuple[str, ...] = ("view", "person found, % of frames", "error, % of the box")
    rows: list[tuple[str, ...]] = [
        (name, percent(found), number(error, 2)) for name, found, error in detector_rows(data)
    ]
    if not has_truth:
        head, rows = head[:2], [row[:2] for row in rows]
    first = data.capture.recordings[0]
    cards = [_detection_card(view, first.n_frames // 2) for view in data.of_recording(first.name)]
    blocks: list[Block] = [Gallery(f"One moment of {first.name}", [card for card in cards if card])]
    blocks += [*_charts(data), Table("By view", head, rows)]
    return Section("detector", "Detector", _lead(figures, has_truth, data.n_crashes), blocks)


def _lead(figures: Figures, has_truth: bool, n_crashes: int) -> str:
    lead = "The 2D detector was not trained on this capture. All later stages depend on its detections."
    if has_truth:
        lead += (
            f" The detected joints lie {number(figures['error_px'])} px or {number(figures['error_box_percent'], 2)} %"
            f" of the person's box from the truth; {number(figures['swap_percent'])} % of left-right pairs are swapped."
        )
    else:
        lead += " Without truth its error is not known; the residuals of the labels are the best indication."
    return lead + crash_sentence(n_crashes)


def crash_sentence(n_crashes: int) -> str:
    """A sentence with the number of images on which the detector crashed; empty if it never did."""
    images = "image, which counts as a frame" if n_crashes == 1 else "images, which count as frames"
    return f" The detector crashed on {n_crashes:,} {images} without a person." if n_crashes else ""


def _detection_card(view: ViewData, frame: int) -> Card | None:
    image = overlay(view.images[frame], {"truth": view.true_px[frame], "detection": view.detected_px[frame]})
    return Card(f"{view.name}, frame {frame}", image) if image else None


def _charts(data: ReportData) -> list[Block]:
    """Errors by view and joint and against confidence; without truth, the confidence by view."""
    groups = data.by_name()
    confidence = {name: np.concatenate([v.confidence for v in views]) for name, views in groups.items()}
    errors = {
        name: metrics.box_errors_percent(joined(views, "detected_px"), joined(views, "true_px"))
        for name, views in groups.items()
    }
    if not any(np.isfinite(one).any() for one in errors.values()):
        shown = {name: 100 * values.ravel() for name, values in confidence.items()}
        note = "Box: quartiles, whiskers: 5–95 %."
        return [Chart("Confidence by view", spread_bars(shown, "% confidence", COLOURS["detection"]), note)]
    grid = np.stack([metrics.mean(one, axis=0) for one in errors.values()])
    all_errors, all_confidence = (np.concatenate([x.ravel() for x in y.values()]) for y in (errors, confidence))
    note = "Joints in ten equal groups by confidence. The error of a well-calibrated detector falls with confidence."
    return [
        Chart("Error by view and joint, % of the box", joint_map(grid, list(groups), "%"), wide=True),
        Chart("Error by confidence", reliability(all_confidence, all_errors, CONFIDENCE_BINS,
              "confidence", "error, % of the box", COLOURS["detection"]), note),
    ]  # fmt: skip
