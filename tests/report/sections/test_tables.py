"""Tables of figures."""

from pipeline.report.sections.tables import figures_table, scores


def test_figures_stand_side_by_side_with_their_intervals():
    figures = {"labels": {"mpjpe_mm": 50.0, "pss5": 80.0}, "labels_known": {"mpjpe_mm": 49.0}}
    intervals = {("labels", "mpjpe_mm"): (48.0, 52.0)}
    table = figures_table("Figures", {"labels": "a", "labels_known": "b"}, figures, intervals, "")
    assert table.head == ("", "a", "b")
    assert table.rows == [("MPJPE, mm", "50.0 (48.0–52.0)", "49.0"), ("PSS@5, %", "80.0", "–")]


def test_scores_come_in_the_order_of_k():
    figures = {"labels": {"pss100": 1.0, "pss50": 2.0, "mpjpe_mm": 3.0}}
    assert scores(figures, ["labels", "test"]) == {"pss50": "PSS@50", "pss100": "PSS@100"}
