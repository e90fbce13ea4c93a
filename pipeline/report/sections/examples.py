"""The section of example frames: predictions from the best to the worst, compared with truth and labels."""

import numpy as np

from pipeline.report.data.breakdown import pose_errors_mm, predicted_test, reference_name
from pipeline.report.data.report_data import Alternatives, ReportData, ViewData
from pipeline.report.page.blocks import Card, Gallery, Rows, Section, number
from pipeline.report.page.images import crop_around, data_uri, overlay
from pipeline.report.page.scenes import pose_scene

ROW_PERCENTILES = (10, 50, 90)  # of the errors of the frames shown side by side
TRAINED_ON = {
    "self": "the labels", "full": "the truth", "subset": "the truth of some subjects",
    "mixed": "truth and labels", "gt2d": "labels of true 2D poses",
}  # fmt: skip


def example_section(data: ReportData, alternatives: Alternatives, n: int) -> Section:
    """Example frames evenly spread over the ranking by error, and three of them side by side with truth and label."""
    ranked = ranked_predictions(data)
    if not ranked:
        return Section("examples", "Examples", "")
    ranks = np.unique(np.linspace(0, len(ranked) - 1, min(n, len(ranked))).round().astype(int))
    cards = [example_card(*ranked[rank], title=_rank_title(int(rank), len(ranked))) for rank in ranks]
    lead = "From the best to the worst frame, evenly spread over the ranking. Drag a skeleton to rotate it."
    return Section("examples", "Examples", lead, [Gallery("", cards), _rows(ranked, data, alternatives)])


def ranked_predictions(data: ReportData) -> list[tuple[float, int, ViewData]]:
    """Error in mm, frame and view of every prediction with a known error, the smallest first."""
    found = [
        (float(error), i, view)
        for view in predicted_test(data)
        for i, error in enumerate(pose_errors_mm(view, "predicted_cam_mm", reference_name(view)))
        if np.isfinite(error)
    ]
    return sorted(found, key=lambda one: one[0])


def _rows(ranked: list[tuple[float, int, ViewData]], data: ReportData, alternatives: Alternatives) -> Rows:
    """An easy, a typical and a difficult frame: the image, the truth, the label, the prediction and its refinements."""
    trained = f", trained on {TRAINED_ON[data.supervision]}" if data.supervision in TRAINED_ON else ""
    head = ["image", *["truth"] * ranked[0][2].has_truth, "label, from all views", f"network, from this image{trained}"]
    head += [f"refined on {source}" for source in alternatives.refined]
    rows = []
    for percentile in ROW_PERCENTILES:
        _, frame, view = ranked[round(percentile / 100 * (len(ranked) - 1))]
        crop = crop_around(view.box_px[frame].reshape(2, 2), view.size_px)
        poses = [("truth", view.true_cam_mm)] if view.has_truth else []
        poses += [("label", view.label_cam_mm), ("prediction", view.predicted_cam_mm)]
        poses += [("refined", _same(view, other).predicted_cam_mm) for other in alternatives.refined.values()]
        image = Card(view.at(frame), data_uri(crop.cut(view.images[frame])))
        scenes = [pose_scene({name: pose[frame]}) for name, pose in poses]
        rows.append([image, *(Card(title, scene=scene) for title, scene in zip(head[1:], scenes, strict=True))])
    return Rows("Side by side", head, rows)


def _same(view: ViewData, data: ReportData) -> ViewData:
    """The same view of the same recording in other data."""
    return data.of_recording(view.recording.name)[view.index]


def _rank_title(rank: int, n: int) -> str:
    if rank == 0:
        return "Best"
    return "Worst" if rank == n - 1 else f"{100 * rank / (n - 1):.0f} % are better"


def example_card(error_mm: float, frame: int, view: ViewData, *, title: str) -> Card:
    """The image and the skeletons of a prediction, with the truth, or with the label if there is no truth."""
    reference = {"truth": view.true_px[frame]} if view.has_truth else {"label": view.label_px[frame]}
    poses = {
        "truth": view.true_cam_mm[frame], "label": view.label_cam_mm[frame],
        "prediction": view.predicted_cam_mm[frame],
    }  # fmt: skip
    image = overlay(view.images[frame], {**reference, "prediction": view.predicted_px[frame]})
    return Card(f"{title}: {number(error_mm)} mm. {view.at(frame)}", image, pose_scene(poses))
