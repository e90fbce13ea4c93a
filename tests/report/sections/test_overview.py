"""The first screen."""

from dataclasses import replace

import numpy as np

from pipeline.report.data.breakdown import rejections
from pipeline.report.data.rig_reliability import StatedRig
from pipeline.report.sections.overview import answers

RIG = StatedRig(1.234, 56.0, 7.0, is_given=False)


def all_answers(shown, cautions=("", ""), figures=None, data=None, rig=RIG):
    data = data or shown.data
    return answers(data, shown.alternatives, figures or shown.figures, shown.spread, rejections(data), rig, cautions)


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


def test_without_truth_the_headlines_are_what_is_stated_and_agreement(shown_without_truth):
    data = shown_without_truth.data
    stated = {name: np.full_like(values, 23.4) for name, values in data.uncertainty_mm.items()}
    labels, network, _ = all_answers(shown_without_truth, data=replace(data, uncertainty_mm=stated))
    assert (labels.figure, labels.unit) == ("± 23", "mm")
    assert "there is no truth" in labels.lines[0]
    assert any("agreement, not accuracy" in line for line in network.lines)


def test_without_truth_and_scale_the_headline_is_the_residual(shown_without_truth):
    labels, *_ = all_answers(shown_without_truth, data=replace(shown_without_truth.data, has_scale=False))
    assert labels.unit == "% residual"
    assert "there is no truth" in labels.lines


def test_the_uncertainty_of_the_rig_is_on_the_first_screen(shown, shown_without_truth):
    assert "cameras: ± 1.23° and ± 56 mm are stated, 0.00° and 0 mm off those given" in all_answers(shown)[0].lines
    lines = all_answers(shown_without_truth)[0].lines
    assert "cameras: ± 1.23° and ± 56 mm are stated" in lines
    assert "lengths: ± 7 % are stated" in lines
    given = StatedRig(np.nan, np.nan, np.nan, is_given=True)
    lines = all_answers(shown, rig=given)[0].lines
    assert "the cameras are used as given; their uncertainty is not known" in lines
    assert not any(line.startswith(("cameras:", "lengths:")) for line in lines)
