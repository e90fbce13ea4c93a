"""The section of example frames."""

from dataclasses import replace

from pipeline.report.data.report_data import Alternatives
from pipeline.report.sections.examples import example_section, ranked_predictions


def test_examples_go_from_the_best_to_the_worst(shown):
    gallery, _ = example_section(shown.data, shown.alternatives, 4).blocks
    captions = [card.caption for card in gallery.cards]
    assert captions[0].startswith("Best: ")
    assert captions[-1].startswith("Worst: ")
    ranked = ranked_predictions(shown.data)
    assert f"{ranked[0][0]:.1f} mm" in captions[0]
    assert f"{ranked[-1][0]:.1f} mm" in captions[-1]


def test_rows_show_truth_label_prediction_and_refinements(shown):
    rows = example_section(shown.data, shown.alternatives, 4).blocks[1]
    assert rows.head == [
        "image", "truth", "label, from all views", "network, from this image, trained on the labels",
        "refined on truth", "refined on labels",
    ]  # fmt: skip
    assert all(len(row) == len(rows.head) for row in rows.rows)


def test_the_head_says_what_the_network_was_trained_on(shown):
    def head(supervision):
        data = replace(shown.data, supervision=supervision)
        return example_section(data, Alternatives(), 2).blocks[1].head[-1]

    assert head("full").endswith("trained on the truth")
    assert head("gt2d").endswith("trained on labels of true 2D poses")
    assert head("adapted").endswith("from this image")


def test_without_truth_there_is_no_column_for_it(shown_without_truth):
    rows = example_section(shown_without_truth.data, shown_without_truth.alternatives, 2).blocks[1]
    assert "truth" not in rows.head
