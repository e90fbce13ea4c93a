"""The sections that play: what the network sees beside what it makes of it, and labels in every view."""

import numpy as np

from pipeline import metrics
from pipeline.report.data.breakdown import label_px
from pipeline.report.data.report_data import ReportData, ViewData
from pipeline.report.page.blocks import Block, Playback, Section
from pipeline.report.page.images import crop_around, data_uri
from pipeline.report.page.scenes import sequence_scene
from pipeline.report.page.theme import COLOURS, LEFT_BONES, lighter
from pipeline.report.sections.network import predicted_test
from pipeline.skeleton import BONES, ROOT
from pipeline.video.packing import PackedFrames

LONGEST = 240  # frames shown of a sequence
ONE_FILM_PX, MANY_FILMS_PX = 300, 190  # longer side of the images


def sequence_section(report_data: ReportData) -> Section:
    """A test recording with predictions in one view, and the recording of most labels in all views that made them."""
    blocks: list[Block] = []
    test = predicted_test(report_data)
    if test:
        title = f"The network: {test[0].recording.name} as {test[0].view.name} sees it"
        blocks.append(playback(title, [test[0]], ("truth", "label", "prediction"), ONE_FILM_PX))
    labelled = _most_labelled(report_data)
    if labelled:
        title = f"The labels: {labelled[0].recording.name} in the views that made them"
        blocks.append(playback(title, labelled, ("truth", "label"), MANY_FILMS_PX))
    lead = "Play, pause, scrub, turn. A click on a name below a scene hides it. Roots lie on each other."
    return Section("motion", "Motion", lead, blocks)


def _most_labelled(report_data: ReportData) -> list[ViewData]:
    """The labelling views of the training recording (or any, without one) with most labelled frames."""
    seen = report_data.select("train") or report_data.select("test")
    counts = {s.recording.name: int(np.isfinite(s.label_cam_mm).all(-1).sum()) for s in seen}
    if not any(counts.values()):
        return []
    name = max(counts, key=lambda name: counts[name])
    return [s for s in seen if s.recording.name == name and np.isfinite(s.label_cam_mm).any()]


def playback(title: str, seen: list[ViewData], names: tuple[str, ...], side_px: int) -> Playback:
    """Some views of one recording beside its moving skeletons in the frame of the first of them."""
    rows = slice(0, LONGEST)
    arrays = {"truth": "true_cam_mm", "label": "label_cam_mm", "prediction": "predicted_cam_mm"}
    poses = {name: getattr(seen[0], arrays[name])[rows] for name in names}
    poses = {name: found for name, found in poses.items() if np.isfinite(found).any()}
    if "truth" in poses and "label" in poses:
        # The label's distance from the camera and its size are the rig's; here the poses are compared.
        poses["label"] = metrics.scale_aligned(poses["label"], poses["truth"]) + poses["truth"][:, ROOT : ROOT + 1]
    films = [_film(one, tuple(poses), rows, side_px) for one in seen]
    scene = sequence_scene(poses, seen[0].recording.fps)
    note = (
        "" if seen[0].recording.n_frames <= LONGEST else f"The first {LONGEST} of {seen[0].recording.n_frames} frames."
    )
    return Playback(title, {"films": films, "scene": scene, "edges": BONES.tolist(), "left": LEFT_BONES}, note)


def _film(seen: ViewData, names: tuple[str, ...], rows: slice, side_px: int) -> dict[str, object]:
    """The images around the person, and the skeletons in their pixels."""
    px = {"truth": seen.true_px, "label": label_px(seen), "prediction": seen.predicted_px}
    shown = {name: px[name][rows] for name in names}
    around = np.concatenate([seen.box_px[rows].reshape(-1, 2), *(one.reshape(-1, 2) for one in shown.values())])
    crop = crop_around(around[np.isfinite(around).all(1)], seen.view.size_px, margin=0.05, longer_side_px=side_px)
    images = PackedFrames(seen.view.file)[rows]
    return {
        "name": seen.view.name, "size": crop.size_px, "images": [data_uri(crop.cut(image)) for image in images],
        "layers": [
            {"color": COLOURS[name], "light": lighter(COLOURS[name]), "frames": _pixels(crop.placed(one))}
            for name, one in shown.items()
        ],
    }  # fmt: skip


def _pixels(px: np.ndarray) -> list[list[int | None]]:
    """Frames (frame, joint, 2) as flat lists of whole pixels; None for what is missing or far outside."""
    known = (np.isfinite(px) & (np.abs(np.nan_to_num(px)) < 1e4)).all(-1, keepdims=True) & np.ones(2, bool)
    values = np.round(np.where(known, px, 0)).astype(int).reshape(len(px), -1).tolist()
    flat = known.reshape(len(px), -1).tolist()
    return [[v if k else None for v, k in zip(a, b, strict=True)] for a, b in zip(values, flat, strict=True)]
