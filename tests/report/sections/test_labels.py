"""The section on the labels."""

import json

import numpy as np

from pipeline.report.data.breakdown import rejections
from pipeline.report.data.reliability import Reliability
from pipeline.report.sections.labels import label_section


def section(shown):
    return label_section(shown.data, shown.figures, shown.spread, rejections(shown.data), n_worst=2)


def titles(section):
    return [block.title for block in section.blocks]


def test_both_reprojection_errors_and_both_labels_are_in_the_table(shown):
    (table,) = [block for block in section(shown).blocks if block.title == "Figures"]
    assert table.head == ("", "these labels", "cameras known")
    rows = {row[0]: row[1:] for row in table.rows}
    raw, used = rows["reprojection error, raw detections, px"], rows["reprojection error, detections used, px"]
    assert float(raw[0]) > 0
    assert float(used[0]) > 0
    assert raw[1] == "–"
    assert rows["MPJPE, mm"] == ("1.0", "0.0")


def test_charts_name_what_they_show(shown):
    found = titles(section(shown))
    assert {"Worst frames", "Outcomes of the detections", "Left and right swapped, %", "Error by joint"} <= set(found)
    assert {"Joints without a label, by reason", "Uncertainty against the truth", "Consistency"} <= set(found)


def test_without_truth_the_figures_are_those_that_need_none(shown_without_truth):
    found = section(shown_without_truth)
    assert "There is no truth" in found.lead
    (table,) = [block for block in found.blocks if block.title == "Figures"]
    assert [row[0] for row in table.rows] == [
        "coverage, %", "reprojection error, raw detections, px", "reprojection error, detections used, px",
    ]  # fmt: skip
    assert "Error by joint" not in titles(found)


def test_views_left_out_show_whether_the_uncertainty_holds(shown):
    tenths = np.arange(1.0, 11)
    found = label_section(shown.data, shown.figures, shown.spread, {}, 1, Reliability(tenths, 2 * tenths, "px"))
    [chart] = [block for block in found.blocks if block.title == "Uncertainty against views left out"]
    assert "2.00 overall, 2.00 in the worst group" in chart.note
    found_line, equal, _ = json.loads(chart.data)["data"]
    assert found_line["y"] == (2 * tenths).tolist()
    assert equal["x"] == equal["y"] == [1, 10]
    assert "Uncertainty against views left out" not in titles(section(shown))


def test_every_joint_has_three_views_but_where_one_was_an_outlier(shown):
    (table,) = [block for block in section(shown).blocks if block.title == "Consistency"]
    assert [row[0] for row in table.rows] == ["S1-turning", "S2-turning", "S3-turning"]
    assert {row[3] for row in table.rows} == {"3.0"}
    assert all(float(row[1]) < 1 for row in table.rows)  # bones keep their lengths, but those of one wrist
