"""The sections on what came in and what the frozen detector saw of it."""

import numpy as np

from pipeline import metrics
from pipeline.report.data.breakdown import detector_rows
from pipeline.report.data.evaluate import Figures
from pipeline.report.data.report_data import ReportData, ViewData, joined
from pipeline.report.page.blocks import Block, Card, Chart, Gallery, Section, Table, number, percent
from pipeline.report.page.charts import heat_map, reliability, spread_bars
from pipeline.report.page.images import THUMB_PX, data_uri, overlay, shrunk
from pipeline.report.page.theme import COLOURS
from pipeline.video.packing import PackedFrames

MOST_RECORDINGS_SHOWN = 8
CONFIDENCE_BINS = 10


def capture_section(report_data: ReportData) -> Section:
    """Who was filmed, by which cameras, and what could not be used."""
    recordings = report_data.capture.recordings
    rows = [
        (
            r.name, r.subject, r.action, r.split, str(len(r.view_indices(for_labels=True))),
            str(len(r.views) - len(r.view_indices(for_labels=True))), str(r.n_frames), number(r.fps),
            number(r.n_frames / r.fps),
        )
        for r in recordings
    ]  # fmt: skip
    head = ("recording", "subject", "action", "split", "views", "evaluation views", "frames a view", "frames/s", "s")
    blocks: list[Block] = [Gallery("What the cameras see", _contact_sheet(report_data), small=True)]
    blocks.append(Table("Recordings", head, rows))
    if report_data.capture.rejected:
        rejected = [(one.recording, one.reason) for one in report_data.capture.rejected]
        blocks.append(Table("Rejected", ("recording", "why"), rejected, words=True))
    frames = sum(r.n_frames * len(r.views) for r in recordings)
    people = len({r.subject for r in recordings})
    source = report_data.capture.source
    lead = f"Recordings: {len(recordings)}, people: {people}, images: {frames:,}. Source: “{source}”."
    return Section("capture", "Capture", lead, blocks)


def _contact_sheet(report_data: ReportData) -> list[Card]:
    """Every view of the first recording, and one view of each of the next, in the middle of the recording."""
    first = report_data.capture.recordings[0].name
    others = [s for s in report_data.seen if s.recording.name != first and s.v == 0][: MOST_RECORDINGS_SHOWN - 1]
    cards = []
    for seen in [s for s in report_data.seen if s.recording.name == first] + others:
        frame = seen.recording.n_frames // 2
        caption = f"{seen.recording.name}, {seen.view.name}" + (" (evaluation)" if seen.view.evaluation_only else "")
        cards.append(Card(caption, data_uri(shrunk(PackedFrames(seen.view.file)[frame], THUMB_PX))))
    return cards


def detector_section(report_data: ReportData, figures: Figures) -> Section:
    """What the frozen detector saw, and how far its confidence can be trusted."""
    rows: list[tuple[str, ...]] = [
        (name, percent(found), number(error, 2)) for name, found, error in detector_rows(report_data)
    ]
    head: tuple[str, ...] = ("view", "person found, % of frames", "error, % of the box")
    if "error_px" not in figures:
        head, rows = head[:2], [row[:2] for row in rows]
    lead = "The 2D detector was not trained on this capture; everything after it rests on what it finds."
    if "error_px" in figures:
        lead += (
            f" Its joints lie {number(figures['error_px'])} px or {number(figures['error_box_percent'], 2)} % of the"
            f" person's box from the truth; {number(figures['swap_percent'])} % of left-right pairs are exchanged."
        )
    else:
        lead += " There is no truth, so its own error is not known; the residuals of the labels bound it."
    first = report_data.capture.recordings[0].name
    views = [one for one in report_data.seen if one.recording.name == first]
    cards = [card for one in views if (card := _detection_card(one, one.recording.n_frames // 2)) is not None]
    blocks: list[Block] = [Gallery(f"One moment of {first}", cards), *_detector_charts(report_data)]
    blocks.append(Table("By view", head, rows))
    return Section("detector", "Detector", lead, blocks)


def _detection_card(seen: ViewData, frame: int) -> Card | None:
    skeletons = {"truth": seen.true_px[frame], "detection": seen.detected_px[frame]}
    image = overlay(PackedFrames(seen.view.file)[frame], skeletons)
    return Card(f"{seen.view.name}, frame {frame}", image) if image else None


def _detector_charts(report_data: ReportData) -> list[Block]:
    """Errors by view and joint, and against confidence, where there is truth; else how confident it is."""
    views = list(dict.fromkeys(s.view.name for s in report_data.seen))
    groups = {name: [s for s in report_data.seen if s.view.name == name] for name in views}
    errors = {
        name: metrics.box_errors_percent(joined(group, "detected_px"), joined(group, "true_px"))
        for name, group in groups.items()
    }
    confidence = {name: np.concatenate([s.confidence for s in group]) for name, group in groups.items()}
    if not any(np.isfinite(one).any() for one in errors.values()):
        known = {name: 100 * one.ravel() for name, one in confidence.items()}
        note = "What the detector says of itself; box: quartiles, whiskers: 5–95 %."
        return [Chart("Confidence by view", spread_bars(known, "% confidence", COLOURS["detection"]), note)]
    grid = np.stack([metrics.mean(one, axis=0) for one in errors.values()])
    every_error, every_confidence = (np.concatenate([x.ravel() for x in y.values()]) for y in (errors, confidence))
    note = "Joints in ten equal parts by the detector's confidence; a detector worth its confidence falls."
    return [
        Chart("Error by view and joint, % of the box", heat_map(grid, views, "%"), wide=True),
        Chart("Error by confidence", reliability(every_confidence, every_error, CONFIDENCE_BINS,
              "confidence", "error, % of the box", COLOURS["detection"]), note),
    ]  # fmt: skip
