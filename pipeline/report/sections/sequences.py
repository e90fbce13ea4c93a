"""The section of playable sequences: images beside the skeletons of network and labels."""

import numpy as np

from pipeline import metrics
from pipeline.report.data.breakdown import predicted_test
from pipeline.report.data.report_data import ReportData, ViewData
from pipeline.report.page.blocks import Block, Playback, Section
from pipeline.report.page.images import crop_around, data_uri
from pipeline.report.page.scenes import sequence_scene
from pipeline.report.page.theme import COLOURS, LEFT_BONES, lighter
from pipeline.skeleton import BONES, ROOT

MAX_FRAMES = 240  # shown of a sequence
SINGLE_VIEW_PX, MULTI_VIEW_PX = 300, 190  # longer side of the images
LARGEST_PX = 1e4  # larger coordinates are not drawn


def sequence_section(data: ReportData) -> Section:
    """A test recording with predictions in one view, and the recording with most labels in its labelling views."""
    blocks: list[Block] = []
    test = predicted_test(data)
    if test:
        title = f"Network: {test[0].recording.name} in {test[0].name}"
        blocks.append(playback(title, [test[0]], ("truth", "label", "prediction"), SINGLE_VIEW_PX))
    labelled = _most_labelled(data)
    if labelled:
        title = f"Labels: {labelled[0].recording.name} in all labelling views"
        blocks.append(playback(title, labelled, ("truth", "label"), MULTI_VIEW_PX))
    lead = (
        "Play, pause, scrub, rotate. Click a name below a scene to hide its skeleton. All skeletons share their root."
    )
    return Section("motion", "Motion", lead, blocks)


def _most_labelled(data: ReportData) -> list[ViewData]:
    """The labelling views of the training (or else test) recording with most labelled frames."""
    views = data.select("train") or data.select("test")
    counts = {view.recording.name: int(np.isfinite(view.label_cam_mm).all(-1).sum()) for view in views}
    if not any(counts.values()):
        return []
    name = max(counts, key=lambda name: counts[name])
    return [v for v in views if v.recording.name == name and np.isfinite(v.label_cam_mm).any()]


def playback(title: str, views: list[ViewData], names: tuple[str, ...], side_px: int) -> Playback:
    """The images of some views of one recording beside its moving skeletons in the frame of the first view."""
    rows = slice(0, MAX_FRAMES)
    first, n_frames = views[0], views[0].recording.n_frames
    arrays = {"truth": first.true_cam_mm, "label": first.label_cam_mm, "prediction": first.predicted_cam_mm}
    poses = {name: arrays[name][rows] for name in names if np.isfinite(arrays[name][rows]).any()}
    if "truth" in poses and "label" in poses:
        # The scale and the position of the labels depend on the rig; this scene compares only the poses.
        poses["label"] = metrics.scale_aligned(poses["label"], poses["truth"]) + poses["truth"][:, ROOT : ROOT + 1]
    videos = [_video(view, tuple(poses), rows, side_px) for view in views]
    scene = sequence_scene(poses, first.recording.fps)
    note = "" if n_frames <= MAX_FRAMES else f"The first {MAX_FRAMES} of {n_frames} frames."
    return Playback(title, {"videos": videos, "scene": scene, "edges": BONES.tolist(), "left": LEFT_BONES}, note)


def _video(view: ViewData, names: tuple[str, ...], rows: slice, side_px: int) -> dict[str, object]:
    """The images cropped around the person, and the skeletons in the pixels of the crop."""
    px = {"truth": view.true_px, "label": view.label_px, "prediction": view.predicted_px}
    shown = {name: px[name][rows] for name in names}
    points = np.concatenate([view.box_px[rows].reshape(-1, 2), *(one.reshape(-1, 2) for one in shown.values())])
    crop = crop_around(points[np.isfinite(points).all(1)], view.size_px, margin=0.05, longer_side_px=side_px)
    return {
        "name": view.name, "size": crop.size_px, "images": [data_uri(crop.cut(image)) for image in view.images[rows]],
        "layers": [
            {"color": COLOURS[name], "light": lighter(COLOURS[name]), "frames": _flat_pixels(crop.to_crop_px(one))}
            for name, one in shown.items()
        ],
    }  # fmt: skip


def _flat_pixels(px: np.ndarray) -> list[list[int | None]]:
    """Frames (frame, joint, 2) as flat lists of whole pixels; None for joints that are missing or far outside."""
    known = (np.isfinite(px) & (np.abs(np.nan_to_num(px)) < LARGEST_PX)).all(-1, keepdims=True) & np.ones(2, bool)
    values = np.round(np.where(known, px, 0)).astype(int).reshape(len(px), -1).tolist()
    flat = known.reshape(len(px), -1).tolist()
    return [[v if k else None for v, k in zip(a, b, strict=True)] for a, b in zip(values, flat, strict=True)]
