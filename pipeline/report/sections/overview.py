"""The first screen of the report: the quality of labels and network, and the largest errors."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from pipeline.report.data.breakdown import (
    detector_rows,
    joint_errors_mm,
    pose_errors_mm,
    predicted_test,
    reference_name,
    residuals_percent,
    worst_joint,
)
from pipeline.report.data.evaluate import Figures, mean
from pipeline.report.data.measurements import Intervals
from pipeline.report.data.parts import refined_part
from pipeline.report.data.report_data import Alternatives, ReportData
from pipeline.report.data.rig_reliability import StatedRig
from pipeline.report.page.blocks import Answer, Card, number, percent
from pipeline.report.sections.examples import example_card, ranked_predictions
from pipeline.report.sections.worst_labels import worst_card, worst_frames

MIN_FOUND_PERCENT = 98.0  # of the frames of a view in which the detector finds a person
MAX_SWAPPED_PERCENT = 1.0  # of the joints of a view
TAIL_PERCENTILE = 95
MISSING = "–"  # the figure of an answer that is not known


def answers(
    data: ReportData, alternatives: Alternatives, figures: Figures, intervals: Intervals, rejected: dict[str, int],
    rig: StatedRig, cautions: tuple[str, str] = ("", ""),
) -> list[Answer]:  # fmt: skip
    """The three questions and their answers; `cautions` are shown beside the figures of labels and of the network."""
    largest = [*_detector_errors(data), *_label_errors(data, rejected), *_network_errors(data)]
    labels = _labels(data, figures, intervals, rig)
    network = _network(
        figures, intervals, alternatives, has_test=bool(data.select("test")), is_trained=bool(data.supervision)
    )
    return [
        *(
            replace(answer, flag=caution if answer.figure != MISSING else "")
            for answer, caution in zip((labels, network), cautions, strict=True)
        ),
        Answer("Where are the largest errors?", "", "", largest or ["not known"], "labels", _worst_images(data)),
    ]


def _labels(data: ReportData, figures: Figures, intervals: Intervals, rig: StatedRig) -> Answer:
    labels, known = figures["labels"], figures.get("labels_known", {})
    covered = f"{percent(labels['coverage'])} % of the joints have a label"
    question, link = "How good are the labels?", "labels"
    if "n_mpjpe_mm" not in labels:
        stated, residual = _stated_mm(data), _residual_percent(data)
        distance = "median distance between detections and projected labels"
        if stated is None:
            lines = [f"{distance}, in percent of the person's box height", "there is no truth", covered]
            return Answer(question, number(residual), "% residual", [*lines, *_rig_lines(rig, figures)], link)
        lines = [
            "stated standard deviation of a label, the median; there is no truth",
            covered,
            *_rig_lines(rig, figures),
        ]
        lines.append(f"{distance}: {number(residual)} % of the person's box height")
        return Answer(question, f"± {number(stated, 0)}", "mm", lines, link)
    lines = ["mean joint error against the truth after fitting the scale (N-MPJPE)"]
    lines += [*_interval(intervals, "labels"), covered]
    if "n_mpjpe_mm" in known:
        lines.append(f"{number(known['n_mpjpe_mm'])} mm with the known cameras")
    return Answer(question, number(labels["n_mpjpe_mm"]), "mm", [*lines, *_rig_lines(rig, figures)], link)


def _stated_mm(data: ReportData) -> float | None:
    """The median uncertainty of the labels of the training recordings; None without any, and without a scale."""
    names = {view.recording.name for view in data.select("train")}
    found = [data.uncertainty_mm[name].ravel() for name in names if name in data.uncertainty_mm]
    stated = np.concatenate(found) if found else np.zeros(0)
    stated = stated[np.isfinite(stated)]
    return float(np.median(stated)) if len(stated) and data.has_scale else None


def _residual_percent(data: ReportData) -> float | None:
    residuals = [residuals_percent(view).ravel() for view in data.views if not view.evaluation_only]
    found = np.concatenate(residuals) if residuals else np.zeros(0)
    found = found[np.isfinite(found)]
    return float(np.median(found)) if len(found) else None


def _rig_lines(rig: StatedRig, figures: Figures) -> list[str]:
    """What the rigs state about their uncertainty, of the worst rig, and how far they are from the given cameras."""
    if rig.is_given:
        return ["the cameras are used as given; their uncertainty is not known"]
    about, errors = [], figures.get("rig")
    if np.isfinite(rig.rotation_deg):
        about.append(f"± {number(rig.rotation_deg, 2)}° and ± {number(rig.center_mm, 0)} mm are stated")
    if errors:
        about.append(f"{number(errors['rotation_deg'], 2)}° and {number(errors['centre_mm'], 0)} mm off those given")
    lines = [f"cameras: {', '.join(about)}"] if about else []
    return lines + ([f"lengths: ± {number(rig.scale_percent, 0)} % are stated"] if rig.scale_percent > 0 else [])


def _network(
    figures: Figures, intervals: Intervals, alternatives: Alternatives, *, has_test: bool, is_trained: bool
) -> Answer:
    question, link = "How good is the network?", "network"
    if not is_trained:
        return Answer(question, MISSING, "", ["not known: no network was trained"], "alerts")
    if "n_mpjpe_mm" in figures.get("test", {}):
        test, new_view = figures["test"], figures.get("test_new_view", {})
        lines = ["on unseen people, from one image (N-MPJPE)", *_interval(intervals, "test")]
        for source in alternatives.refined:
            refined = figures[refined_part("test", source)]
            lines.append(f"{number(refined['n_mpjpe_mm'])} mm after refinement on {source}")
        if "n_mpjpe_mm" in new_view:
            lines.append(f"{number(new_view['n_mpjpe_mm'])} mm from an unseen view")
        lines.append(f"{number(test['pck150'])} % of joints within 150 mm")
        return Answer(question, number(test["n_mpjpe_mm"]), "mm", lines, link)
    if "n_mpjpe_mm" in figures.get("test_labels", {}):
        lines = ["difference from the labels of unseen recordings after fitting the scale (N-MPJPE)"]
        lines.append("without truth this measures agreement, not accuracy")
        return Answer(question, number(figures["test_labels"]["n_mpjpe_mm"]), "mm", lines, link)
    reason = "no recording was kept for testing"
    if has_test:
        reason = "no predictions of the test recordings have a truth or a label to compare with"
    return Answer(question, MISSING, "", [f"not known: {reason}"], "capture")


def _interval(intervals: Intervals, part: str) -> list[str]:
    """The interval of the main figure, if there are enough recordings."""
    if (part, "n_mpjpe_mm") not in intervals:
        return []
    low, high = intervals[part, "n_mpjpe_mm"]
    return [f"{number(low)}–{number(high)} mm: 95 % interval over recordings"]


def _detector_errors(data: ReportData) -> Iterator[str]:
    rows = detector_rows(data)
    name, found, _ = min(rows, key=lambda row: np.nan_to_num(row[1], nan=np.inf))
    if found < MIN_FOUND_PERCENT:
        yield f"the detector finds the person in {percent(found)} % of the frames of {name}"
    with_error = [row for row in rows if np.isfinite(row[2])]
    if with_error:
        name, _, error = max(with_error, key=lambda row: row[2])
        yield f"worst view of the detector: {name}, {number(error)} % of the box"
    else:
        yield from _residual_errors(data)
    shares = {
        name: 100 * float(np.mean(np.concatenate([v.swapped for v in views]))) for name, views in data.by_name().items()
    }
    name = max(shares, key=lambda name: shares[name])
    if shares[name] >= MAX_SWAPPED_PERCENT:
        yield f"left and right were swapped in {number(shares[name])} % of the joints detected in {name}"


def _residual_errors(data: ReportData) -> Iterator[str]:
    """Without truth: the view whose detections differ most from the labels."""
    tails: dict[str, float] = {}
    for name, views in data.by_name().items():
        values = np.concatenate([residuals_percent(view).ravel() for view in views])
        values = values[np.isfinite(values)]
        if len(values):
            tails[name] = float(np.percentile(values, TAIL_PERCENTILE))
    if tails:
        name = max(tails, key=lambda name: tails[name])
        share, distance = 100 - TAIL_PERCENTILE, number(tails[name])
        yield f"{share} % of the joints detected in {name} lie over {distance} % of the box height off the label"


def _label_errors(data: ReportData, rejected: dict[str, int]) -> Iterator[str]:
    if rejected:
        reason, n = next(iter(rejected.items()))
        yield f"{n:,} joints without a label: {reason}"
    train = [view for view in data.select("train") if view.has_truth]
    worst = worst_joint(joint_errors_mm(train, "label_cam_mm", "true_cam_mm"))
    if worst:
        yield f"worst joint of the labels: {worst[0]}, {number(worst[1])} mm"


def _network_errors(data: ReportData) -> Iterator[str]:
    test = predicted_test(data)
    if not test:
        return
    worst = worst_joint(joint_errors_mm(test, "predicted_cam_mm", reference_name(test[0])))
    if worst:
        yield f"worst joint of the network: {worst[0]}, {number(worst[1])} mm"
    errors: dict[str, list[float]] = {}
    for view in test:
        error = mean(pose_errors_mm(view, "predicted_cam_mm", reference_name(view)))
        errors.setdefault(view.recording.name, []).append(error)
    name = max(errors, key=lambda name: np.mean(errors[name]))
    yield f"worst recording of the network: {name}, {number(float(np.mean(errors[name])))} mm"


def _worst_images(data: ReportData) -> list[Card]:
    """The frames of the worst label and of the worst prediction."""
    cards = []
    views = data.select("train") or [view for view in data.views if not view.evaluation_only]
    for found in worst_frames(views, 1):
        card = worst_card(*found)
        cards.append(Card(f"Worst label: {card.caption}", card.image))
    ranked = ranked_predictions(data)
    if ranked:
        card = example_card(*ranked[-1], title="Worst prediction")
        cards.append(Card(card.caption, card.image))
    return cards
