"""The section on the network."""

import pytest

from pipeline.report.sections.network import network_section


def section(shown):
    return network_section(shown.data, shown.alternatives, shown.figures, shown.spread)


def test_refined_predictions_have_columns_of_their_own(shown):
    table = section(shown).blocks[0]
    assert table.head == (
        "", "unseen people", "unseen people and view", "refined on truth, unseen people",
        "refined on truth, unseen people and view", "refined on labels, unseen people",
        "refined on labels, unseen people and view",
    )  # fmt: skip
    (mpjpe,) = [row for row in table.rows if row[0] == "MPJPE, mm"]
    assert [float(value) for value in mpjpe[1:]] == pytest.approx([2, 2, 1, 1, 1, 1], abs=0.15)


def test_groups_are_actions_subjects_and_views(shown):
    tables = {block.title: block.rows for block in section(shown).blocks if block.kind == "table"}
    assert [row[0] for row in tables["By action"]] == ["turning"]
    assert [row[0] for row in tables["By subject"]] == ["S3"]
    assert [row[0] for row in tables["By view"]] == ["cam0", "cam1", "cam2", "cam3 (unseen)"]


def test_without_truth_predictions_are_compared_with_the_labels(shown_without_truth):
    found = section(shown_without_truth)
    assert "compared with the labels" in found.lead
    assert found.blocks[0].head == ("", "against the labels")
    assert "PCK" not in [block.title for block in found.blocks]
