"""The frames with the largest label errors."""

import numpy as np

from pipeline import metrics
from pipeline.report.data.breakdown import pose_errors_mm, residuals_percent
from pipeline.report.data.report_data import ViewData
from pipeline.report.page.blocks import Card, number
from pipeline.report.page.images import overlay
from pipeline.report.page.scenes import pose_scene
from pipeline.report.page.theme import JOINT_TITLES

MIN_GAP_S = 1.0  # frames of one recording closer in time than this show the same event


def worst_frames(views: list[ViewData], n: int) -> list[tuple[float, int, ViewData]]:
    """The n frames (error, frame, view) with the largest label errors, at most one of each event."""
    ranked: list[tuple[float, int, ViewData]] = []
    for view in views:
        errors = _label_errors(view)
        ranked += [(float(errors[frame]), int(frame), view) for frame in np.flatnonzero(np.isfinite(errors))]
    ranked.sort(key=lambda found: -found[0])
    chosen: list[tuple[float, int, ViewData]] = []
    for error, frame, view in ranked:
        gap = MIN_GAP_S * view.recording.fps
        if all(view.recording.name != c.recording.name or abs(frame - other) >= gap for _, other, c in chosen):
            chosen.append((error, frame, view))
        if len(chosen) == n:
            break
    return chosen


def _label_errors(view: ViewData) -> np.ndarray:
    """N-MPJPE of each frame's label in mm, or without truth its median residual in % of the box height, (frame,)."""
    if view.has_truth:
        return pose_errors_mm(view, "label_cam_mm", "true_cam_mm")
    return row_medians(residuals_percent(view))


def worst_card(error: float, frame: int, view: ViewData) -> Card:
    """The image and the skeletons of a label, and its worst joint."""
    skeletons = {"truth": view.true_px[frame], "detection": view.detected_px[frame], "label": view.label_px[frame]}
    size = f"{number(error)} mm" if view.has_truth else f"{number(error)} % of the box height"
    poses = {"truth": view.true_cam_mm[frame], "label": view.label_cam_mm[frame]}
    caption = f"{view.at(frame)}: {size}, worst joint: {_worst_joint(view, frame)}"
    return Card(caption, overlay(view.images[frame], skeletons), pose_scene(poses))


def _worst_joint(view: ViewData, frame: int) -> str:
    if view.has_truth:
        true = view.true_cam_mm[frame]
        aligned = metrics.scale_aligned(view.label_cam_mm[frame], true)
        errors = metrics.joint_errors(aligned, metrics.root_centred(true))
    else:
        errors = residuals_percent(view)[frame]
    return JOINT_TITLES[int(np.nanargmax(errors))]


def row_medians(values: np.ndarray) -> np.ndarray:
    """Median of each row (row, column) over its known values; NaN for a row without known values."""
    known = np.isfinite(values).any(1)
    return np.where(known, np.nanmedian(np.where(known[:, None], values, 0), axis=1), np.nan)
