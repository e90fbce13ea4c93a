"""The parts of metrics.json and breakdown.csv, such as labels and test, by their names."""

from dataclasses import dataclass

from pipeline.report.data.files import REFINE_SOURCES

_OF_POSES = ("mpjpe_mm", "n_mpjpe_mm", "pa_mpjpe_mm", "bone_mm", "velocity_mm_s")
_OF_PREDICTIONS = (*_OF_POSES, "pck150", "n_pck150", "auc")
_OF_DETECTIONS = ("error_px", "error_box_percent", "swap_percent", "found_percent", "pckh50", "oks")


@dataclass(frozen=True)
class Part:
    """A part's title, and which of its figures metrics.json holds; breakdown.csv holds all."""

    title: str
    figures: tuple[str, ...]


TESTS = {"test": _OF_PREDICTIONS, "test_new_view": _OF_PREDICTIONS, "test_labels": _OF_POSES}
TITLES = {"test": "unseen people", "test_new_view": "unseen people and view", "test_labels": "against the labels"}


def refined_part(part: str, source: str) -> str:
    """The part of the refined predictions that corresponds to a part of the network's."""
    return f"{part}_refined_{source}"


PARTS = {
    "labels": Part("Labels", (*_OF_POSES, "reprojection_px", "reprojection_used_px")),
    "labels_known": Part("Labels, cameras known", _OF_POSES),
    **{part: Part(f"Network, {TITLES[part]}", figures) for part, figures in TESTS.items()},
    **{
        refined_part(part, source): Part(f"Network refined on {source}, {TITLES[part]}", figures)
        for source in REFINE_SOURCES
        for part, figures in TESTS.items()
    },
    "detector": Part("Detector", _OF_DETECTIONS),
}  # fmt: skip
