"""The first screen."""

from dataclasses import replace

from pipeline.report.data.breakdown import rejections
from pipeline.report.sections.overview import answers


def all_answers(shown, **changes):
    data = replace(shown.data, **changes)
    return answers(data, shown.alternatives, shown.figures, shown.spread, rejections(data))


def test_headlines_are_those_of_the_metrics(shown):
    labels, network, _ = all_answers(shown)
    assert labels.figure == f"{shown.figures['labels']['n_mpjpe_mm']:.1f}"
    assert "0.0 mm with the known cameras" in labels.lines
    assert network.figure == f"{shown.figures['test']['n_mpjpe_mm']:.1f}"
    refined = shown.figures["test_refined_labels"]["n_mpjpe_mm"]
    assert f"{refined:.1f} mm after refinement on labels" in network.lines


def test_problems_name_recordings_joints_and_crashes(shown):
    problems = all_answers(shown)[2].lines
    assert any("S9-jumping" in line for line in problems)
    assert any(line.startswith("worst joint of the labels: left wrist") for line in problems)
    assert any(line.startswith("worst joint of the network: right ankle") for line in problems)
    assert not any("crashed" in line for line in problems)
    crashed = all_answers(shown, n_crashes=7)[2].lines
    assert "the detector crashed on 7 images, which count as frames without a person" in crashed


def test_recordings_without_labels_are_a_problem(shown):
    status = {name: codes for name, codes in shown.data.status.items() if name != "S1-turning"}
    assert "no labels for S1-turning" in all_answers(shown, status=status)[2].lines


def test_without_truth_the_headlines_are_agreement(shown_without_truth):
    labels, network, _ = all_answers(shown_without_truth)
    assert labels.unit == "% residual"
    assert "there is no truth" in labels.lines
    assert any("agreement, not accuracy" in line for line in network.lines)
