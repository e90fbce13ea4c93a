"""The first screen: how good the labels are, how good the network is, and what went wrong where."""

import numpy as np

from pipeline.report.data.breakdown import (
    detector_rows,
    joint_errors_mm,
    pose_errors_mm,
    reference_name,
    residuals_percent,
    worst_joint,
)
from pipeline.report.data.evaluate import Figures, mean
from pipeline.report.data.measurements import Intervals
from pipeline.report.data.report_data import ReportData
from pipeline.report.page.blocks import Answer, Card, number, percent
from pipeline.report.sections.labels import worst_card, worst_frames
from pipeline.report.sections.network import example_card, predicted_test, ranked_predictions

SELDOM_FOUND_PERCENT = 98.0
TAIL_PERCENTILE = 95
OFTEN_EXCHANGED_PERCENT = 1.0


def answers(report_data: ReportData, figures: Figures, intervals: Intervals, rejected: dict[str, int]) -> list[Answer]:
    """The three questions and their answers."""
    return [
        _labels(report_data, figures, intervals),
        _network(figures, intervals, has_test=bool(report_data.select("test"))),
        _troubles(report_data, rejected),
    ]


def _worst_pictures(report_data: ReportData) -> list[Card]:
    """The worst label's and the worst prediction's frame."""
    cards = []
    train = report_data.select("train") or [s for s in report_data.seen if not s.view.evaluation_only]
    for badness, frame, seen in worst_frames(train, 1):
        card = worst_card(badness, frame, seen)
        cards.append(Card(f"Worst label: {card.caption}", card.image))
    ranked = ranked_predictions(report_data)
    if ranked:
        error, frame, seen = ranked[-1]
        card = example_card(error, frame, seen, place="Worst prediction")
        cards.append(Card(card.caption, card.image))
    return cards


def _labels(report_data: ReportData, figures: Figures, intervals: Intervals) -> Answer:
    labels, known = figures["labels"], figures.get("labels_known", {})
    covered = f"{percent(labels['coverage'])} % of the joints have a label"
    question, link = "How good are the labels?", "labels"
    if "n_mpjpe_mm" not in labels:
        seen = [s for s in report_data.seen if not s.view.evaluation_only]
        residuals = np.concatenate([residuals_percent(s).ravel() for s in seen])
        residuals = residuals[np.isfinite(residuals)]
        median = float(np.median(residuals)) if len(residuals) else None
        words = ["median distance between detections and projected labels, as a share of the person's height", covered]
        words.append("there is no truth to compare with")
        return Answer(question, number(median), "% residual", words, link)
    words = ["mean joint error against the truth after fitting the scale (N-MPJPE)"]
    words += [*_spread(intervals, "labels"), covered]
    if "n_mpjpe_mm" in known:
        words.append(f"the true cameras would have given {number(known['n_mpjpe_mm'])} mm")
    if "rig" in figures:
        rig = figures["rig"]
        words.append(f"cameras found to {number(rig['rotation_deg'], 2)}° and {number(rig['centre_mm'], 0)} mm")
    return Answer(question, number(labels["n_mpjpe_mm"]), "mm", words, link)


def _network(figures: Figures, intervals: Intervals, *, has_test: bool) -> Answer:
    question, link = "How good is the network?", "network"
    if "n_mpjpe_mm" in figures.get("test", {}):
        test, new_view = figures["test"], figures.get("test_new_view", {})
        words = ["on people it has not seen, from one image (N-MPJPE)", *_spread(intervals, "test")]
        if "n_mpjpe_mm" in new_view:
            words.append(f"{number(new_view['n_mpjpe_mm'])} mm from a view it has not seen either")
        words.append(f"{number(test['pck150'])} % of joints within 150 mm")
        return Answer(question, number(test["n_mpjpe_mm"]), "mm", words, link)
    if "n_mpjpe_mm" in figures.get("test_labels", {}):
        words = ["from the labels of recordings it has not seen, after fitting the scale (N-MPJPE)"]
        words.append("there is no truth: this is agreement, not accuracy")
        return Answer(question, number(figures["test_labels"]["n_mpjpe_mm"]), "mm", words, link)
    tested = (
        "what the network made of the test recordings is missing" if has_test else "no recording was kept for testing"
    )
    return Answer(question, "–", "", [f"{tested}, so this cannot be said"], "capture")


def _spread(intervals: Intervals, part: str) -> list[str]:
    """How sure the headline is, where there are recordings enough to say."""
    if (part, "n_mpjpe_mm") not in intervals:
        return []
    low, high = intervals[part, "n_mpjpe_mm"]
    return [f"{number(low)}–{number(high)} mm: 95 % interval over recordings"]


def _detector_troubles(report_data: ReportData) -> list[str]:
    rows = [row for row in detector_rows(report_data) if np.isfinite(row[2])]
    if not rows:
        return _residual_troubles(report_data)
    name, _, error = max(rows, key=lambda row: row[2])
    return [f"the detector is worst in {name}: {number(error)} % of the box"]


def _exchanged_sides(report_data: ReportData) -> list[str]:
    """The view whose left and right were exchanged most, if that is often."""
    shares: dict[str, float] = {}
    for name in dict.fromkeys(s.view.name for s in report_data.seen):
        shares[name] = 100 * float(
            np.mean(np.concatenate([s.swapped for s in report_data.seen if s.view.name == name]))
        )
    name = max(shares, key=lambda name: shares[name])
    reported = f"left and right were exchanged in {number(shares[name])} % of the joints detected in {name}"
    return [reported] if shares[name] >= OFTEN_EXCHANGED_PERCENT else []


def _residual_troubles(report_data: ReportData) -> list[str]:
    """Where there is no truth: the view whose detections contradict the labels most."""
    tails: dict[str, float] = {}
    for name in dict.fromkeys(s.view.name for s in report_data.seen):
        values = np.concatenate([residuals_percent(s).ravel() for s in report_data.seen if s.view.name == name])
        values = values[np.isfinite(values)]
        if len(values):
            tails[name] = float(np.percentile(values, TAIL_PERCENTILE))
    if not tails:
        return []
    name = max(tails, key=lambda name: tails[name])
    share = 100 - TAIL_PERCENTILE
    return [
        f"{share} % of the joints detected in {name} lie over {number(tails[name])} % of the body height off the label"
    ]


def _troubles(report_data: ReportData, rejected: dict[str, int]) -> Answer:
    found: list[str] = []
    capture = report_data.capture
    if capture.rejected:
        first = capture.rejected[0]
        were = "recording was" if len(capture.rejected) == 1 else "recordings were"
        found.append(f"{len(capture.rejected)} {were} rejected; {first.recording}: {first.reason}")
    missing = [r.name for r in capture.recordings if r.name not in report_data.status]
    if missing:
        found.append(f"no labels for {', '.join(missing)}")
    seldom = min(detector_rows(report_data), key=lambda row: np.nan_to_num(row[1], nan=np.inf))
    if seldom[1] < SELDOM_FOUND_PERCENT:
        found.append(f"the detector finds the person in {percent(seldom[1])} % of the frames of {seldom[0]}")
    found += [*_detector_troubles(report_data), *_exchanged_sides(report_data)]
    if rejected:
        reason, n = next(iter(rejected.items()))
        found.append(f"{n:,} joints without a label: {reason}")
    train = [s for s in report_data.select("train") if s.has_truth]
    worst = worst_joint(joint_errors_mm(train, "label_cam_mm", "true_cam_mm"))
    if worst:
        found.append(f"worst joint of the labels: {worst[0]}, {number(worst[1])} mm")
    test = predicted_test(report_data)
    if test:
        worst = worst_joint(joint_errors_mm(test, "predicted_cam_mm", reference_name(test[0])))
        found += [f"worst joint of the network: {worst[0]}, {number(worst[1])} mm"] if worst else []
        errors: dict[str, list[float]] = {s.recording.name: [] for s in test}
        for s in test:
            errors[s.recording.name].append(mean(pose_errors_mm(s, "predicted_cam_mm", reference_name(s))))
        name = max(errors, key=lambda name: np.mean(errors[name]))
        found.append(f"worst recording of the network: {name}, {number(float(np.mean(errors[name])))} mm")
    return Answer("What went wrong where?", "", "", found or ["nothing that is noticed here"], "labels",
                  _worst_pictures(report_data))  # fmt: skip
