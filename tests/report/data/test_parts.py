"""The parts of metrics.json."""

from pipeline import metrics
from pipeline.report.data.parts import PARTS, refined_part


def test_every_refined_part_has_the_figures_of_the_part_of_the_network():
    for source in ("truth", "labels"):
        for part in ("test", "test_new_view", "test_labels"):
            assert PARTS[refined_part(part, source)].figures == PARTS[part].figures


def test_figures_of_poses_are_metrics():
    assert set(PARTS["test"].figures) <= set(metrics.METRICS)
