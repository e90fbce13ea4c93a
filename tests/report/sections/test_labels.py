"""The section on the labels."""

from pipeline.report.data.breakdown import rejections
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
    assert {"Joints without a label, by reason", "Uncertainty against error", "Consistency"} <= set(found)


def test_without_truth_the_figures_are_those_that_need_none(shown_without_truth):
    found = section(shown_without_truth)
    assert "There is no truth" in found.lead
    (table,) = [block for block in found.blocks if block.title == "Figures"]
    assert [row[0] for row in table.rows] == [
        "coverage, %", "reprojection error, raw detections, px", "reprojection error, detections used, px",
    ]  # fmt: skip
    assert "Error by joint" not in titles(found)


def test_every_joint_has_three_views_but_where_one_was_an_outlier(shown):
    (table,) = [block for block in section(shown).blocks if block.title == "Consistency"]
    assert [row[0] for row in table.rows] == ["S1-turning", "S2-turning", "S3-turning"]
    assert {row[3] for row in table.rows} == {"3.0"}
    assert all(float(row[1]) < 1 for row in table.rows)  # bones keep their lengths, but those of one wrist
