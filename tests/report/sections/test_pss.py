"""The section on the pose structure score."""

from pipeline.report.sections.pss import pss_section


def test_scores_of_all_parts_are_in_the_table(shown):
    (table,) = [block for block in pss_section(shown.data, shown.figures).blocks if block.title == "Scores"]
    assert table.head == ("", "PSS@3", "PSS@5")
    assert [row[0] for row in table.rows] == [
        "Labels", "Labels, cameras known", "Network, unseen people", "Network, unseen people and view",
        "Network refined on truth, unseen people", "Network refined on truth, unseen people and view",
        "Network refined on labels, unseen people", "Network refined on labels, unseen people and view",
    ]  # fmt: skip


def test_cluster_centres_have_shares_that_sum_to_one(shown):
    (gallery,) = [b for b in pss_section(shown.data, shown.figures).blocks if b.kind == "gallery"]
    shares = [float(card.caption.split(" %")[0]) for card in gallery.cards if "hit" in card.caption]
    assert 99 < sum(shares) < 101


def test_references_are_named_by_their_hash(shown):
    (table,) = [block for block in pss_section(shown.data, shown.figures).blocks if block.title == "References"]
    assert [row[-1] for row in table.rows] == [r.metadata["sha256"][:12] for r in shown.data.references]
