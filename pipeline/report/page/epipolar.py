"""Epipolar lines: where each view's joint must lie in the other views, if the rig is right."""

from collections.abc import Sequence

import numpy as np

from pipeline.geometry.camera.model import Camera
from pipeline.report.data.report_data import ViewData
from pipeline.report.page.blocks import EpipolarView
from pipeline.report.page.images import Crop, crop_around, data_uri
from pipeline.report.page.theme import COLOURS, JOINT_TITLES
from pipeline.skeleton import joint
from pipeline.video.packing import PackedFrames

DEPTHS = 400  # samples of a ray, from near its camera to far behind the others
NEAR, FAR = 0.02, 50.0  # of the distance between the two cameras
POINTS = 14  # of a drawn line; more than two, as lens distortion bends it
SURROUNDINGS = 0.45  # around the person, so that the lines are seen coming
SIDE_PX = 400


def epipolar_view(seen: Sequence[ViewData], R: np.ndarray, t: np.ndarray) -> EpipolarView | None:
    """One moment in all calibrated views of a recording; None where no moment is seen by two of them.

    R (view, 3, 3) and t (view, 3) in mm are the rig as found.
    """
    found = [s for s in seen if np.isfinite(t[s.v]).all()]
    if len(found) < 2:
        return None
    detected = np.stack([s.sorted_px for s in found], 1)  # (frame, view, joint, 2)
    n_seen = np.isfinite(detected).all(-1).sum((1, 2))
    best = np.flatnonzero(n_seen == n_seen.max())
    frame = int(best[len(best) // 2])
    if np.isfinite(detected[frame]).any((1, 2)).sum() < 2:
        return None
    cameras = [s.view.camera.with_extrinsics(R[s.v], t[s.v]) for s in found]
    crops = [_surroundings(s, frame) for s in found]
    curves = [
        [_curves(cameras[a], cameras[b], detected[frame, a]) if a != b else None for b in range(len(found))]
        for a in range(len(found))
    ]
    views = [_view(s, frame, crop) for s, crop in zip(found, crops, strict=True)]
    lines = [
        [[] if curve is None else [_drawn(line, crops[b]) for line in curve] for b, curve in enumerate(row)]
        for row in curves
    ]
    off = [
        [[] if curve is None else _distances(curve, detected[frame, b]) for b, curve in enumerate(row)]
        for row in curves
    ]
    data = {
        "views": views, "joints": JOINT_TITLES, "lines": lines, "off": off, "first": joint("r_wrist"),
        "color": COLOURS["detection"], "line": COLOURS["prediction"],
    }  # fmt: skip
    note = (
        "Choose a joint and the view it is taken from: in each other view it must lie on the line. "
        "Lines bend where the lens does. Left and right are as the labels took them."
    )
    return EpipolarView(f"Epipolar lines, {found[0].recording.name}, frame {frame}", data, note)


def _surroundings(seen: ViewData, frame: int) -> Crop:
    px = seen.sorted_px[frame]
    px = px[np.isfinite(px).all(1)]
    return crop_around(px, seen.view.size_px, margin=SURROUNDINGS, longer_side_px=SIDE_PX)


def _view(seen: ViewData, frame: int, crop: Crop) -> dict[str, object]:
    px = crop.placed(seen.sorted_px[frame])
    joints = [
        point if known else None for point, known in zip(px.round(1).tolist(), np.isfinite(px).all(1), strict=True)
    ]
    image = data_uri(crop.cut(PackedFrames(seen.view.file)[frame]))
    return {"name": seen.view.name, "image": image, "size": crop.size_px, "joints": joints}


def _curves(source: Camera, target: Camera, px: np.ndarray) -> list[np.ndarray]:
    """The rays through the source's pixels (joint, 2) as the target sees them, (point, 2) for each joint."""
    R, center = source.R_cam_from_world, source.center_world_mm
    depth = np.geomspace(NEAR, FAR, DEPTHS) * np.linalg.norm(center - target.center_world_mm)
    points_norm = source.back_project(px, np.ones(len(px)))
    points_cam = target.to_camera((points_norm[:, None] * depth[:, None]) @ R + center)
    in_front = points_cam[..., 2] > NEAR * depth[0]
    pixels = target.with_extrinsics(np.eye(3), np.zeros(3)).project(np.where(in_front[..., None], points_cam, np.nan))
    # Far outside the image a lens model means nothing.
    size = np.array(target.size_px)
    near_image: np.ndarray = np.all((pixels > -0.5 * size) & (pixels < 1.5 * size), axis=-1)
    return [line[keep] for line, keep in zip(pixels, near_image, strict=True)]


def _drawn(line: np.ndarray, crop: Crop) -> list[float]:
    """A line as few points of the crop, evenly spaced: x, y, x, y, ..."""
    if len(line) < 2:
        return []
    placed = crop.placed(line)
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(placed, axis=0), axis=1))])
    at = np.linspace(0, along[-1], POINTS)
    return np.stack([np.interp(at, along, placed[:, i]) for i in range(2)], -1).round(1).ravel().tolist()


def _distances(lines: list[np.ndarray], px: np.ndarray) -> list[float | None]:
    """How far each joint (joint, 2) lies from its line, in pixels of the packed frames."""
    found = [_distance(line, point) for line, point in zip(lines, px, strict=True)]
    return [None if np.isnan(value) else round(value, 1) for value in found]


def _distance(line: np.ndarray, point: np.ndarray) -> float:
    if len(line) < 2 or not np.isfinite(point).all():
        return float("nan")
    start, step = line[:-1], np.diff(line, axis=0)
    share = np.sum((point - start) * step, axis=1) / np.maximum(np.sum(step**2, axis=1), 1e-12)
    nearest = start + np.clip(share, 0, 1)[:, None] * step
    return float(np.linalg.norm(nearest - point, axis=1).min())
