"""The first screen."""

from dataclasses import replace

from pipeline.report.data.breakdown import rejections
from pipeline.report.sections.overview import answers


def all_answers(shown, cautions=("", ""), figures=None, data=None):
    data = data or shown.data
    return answers(data, shown.alternatives, figures or shown.figures, shown.spread, rejections(data), cautions)


def test_headlines_are_those_of_the_metrics(shown):
    labels, network, _ = all_answers(shown)
    assert labels.figure == f"{shown.figures['labels']['n_mpjpe_mm']:.1f}"
    assert "0.0 mm with the known cameras" in labels.lines
    assert network.figure == f"{shown.figures['test']['n_mpjpe_mm']:.1f}"
    refined = shown.figures["test_refined_labels"]["n_mpjpe_mm"]
    assert f"{refined:.1f} mm after refinement on labels" in network.lines


def test_the_largest_errors_name_views_and_joints(shown):
    largest = all_answers(shown)[2].lines
    assert any(line.startswith("worst joint of the labels: left wrist") for line in largest)
    assert any(line.startswith("worst joint of the network: right ankle") for line in largest)
    assert any(line.startswith("worst view of the detector") for line in largest)


def test_a_caution_stands_beside_every_figure(shown):
    labels, network, largest = all_answers(shown, cautions=("Read the error above.", "Read the warning above."))
    assert (labels.flag, network.flag) == ("Read the error above.", "Read the warning above.")
    assert not largest.flag
    views = [view for view in shown.data.views if view.recording.split == "train"]
    assert not all_answers(shown, cautions=("Read this.", "Read this."), figures={"labels": {"coverage": 50}},
                           data=replace(shown.data, views=views))[1].flag  # fmt: skip


def test_without_truth_the_headlines_are_agreement(shown_without_truth):
    labels, network, _ = all_answers(shown_without_truth)
    assert labels.unit == "% residual"
    assert "there is no truth" in labels.lines
    assert any("agreement, not accuracy" in line for line in network.lines)
