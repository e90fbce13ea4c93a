"""The frames with the largest label errors."""

import numpy as np

from pipeline.report.sections.worst_labels import MIN_GAP_S, row_medians, worst_card, worst_frames


def test_frames_come_from_the_worst_on_and_are_apart(shown):
    found = worst_frames(shown.data.select("train"), 4)
    errors = [error for error, _, _ in found]
    assert len(found) == 4
    assert errors == sorted(errors, reverse=True)
    for i, (_, frame, view) in enumerate(found):
        for _, other, second in found[:i]:
            gap = MIN_GAP_S * view.recording.fps
            assert view.recording.name != second.recording.name or abs(frame - other) >= gap


def test_the_card_names_the_joint_that_is_off(shown):
    card = worst_card(*worst_frames(shown.data.select("train"), 1)[0])
    assert "worst joint: left wrist" in card.caption
    assert card.image
    assert card.scene


def test_without_truth_frames_are_ranked_by_their_residuals(shown_without_truth):
    card = worst_card(*worst_frames(shown_without_truth.data.select("train"), 1)[0])
    assert "% of the box height" in card.caption


def test_medians_ignore_missing_values():
    values = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(row_medians(values), [2.0, np.nan])
