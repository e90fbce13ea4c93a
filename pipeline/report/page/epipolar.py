"""Epipolar lines: with a correct rig, a joint of one view lies on its line in each other view."""

from collections.abc import Sequence

import numpy as np

from pipeline.geometry.camera.model import Camera
from pipeline.report.data.report_data import ViewData
from pipeline.report.page.blocks import EpipolarView
from pipeline.report.page.images import Crop, crop_around, data_uri
from pipeline.report.page.theme import COLOURS, JOINT_TITLES
from pipeline.skeleton import joint

DEPTHS = 400  # samples of a ray
NEAR, FAR = 0.02, 50.0  # first and last depth, over the distance between the two cameras
POINTS = 14  # of a drawn line, because lens distortion bends lines
MARGIN = 0.45  # of the crop around the person
SIDE_PX = 400


def epipolar_view(views: Sequence[ViewData], R: np.ndarray, t: np.ndarray) -> EpipolarView | None:
    """The frame with most detections in all calibrated views of a recording; None if fewer than two have any.

    R (view, 3, 3) and t (view, 3) in mm are the calibrated rig (camera from world).
    """
    calibrated = [view for view in views if np.isfinite(t[view.index]).all()]
    if len(calibrated) < 2:
        return None
    detected = np.stack([view.sorted_px for view in calibrated], 1)  # (frame, view, joint, 2)
    n_detected = np.isfinite(detected).all(-1).sum((1, 2))
    best = np.flatnonzero(n_detected == n_detected.max())
    frame = int(best[len(best) // 2])
    if np.isfinite(detected[frame]).any((1, 2)).sum() < 2:
        return None
    cameras = [view.camera.with_extrinsics(R[view.index], t[view.index]) for view in calibrated]
    crops = [_crop(view, frame) for view in calibrated]
    curves = [
        [_curves(cameras[a], cameras[b], detected[frame, a]) if a != b else None for b in range(len(cameras))]
        for a in range(len(cameras))
    ]
    images = [_image(view, frame, crop) for view, crop in zip(calibrated, crops, strict=True)]
    lines = [
        [[] if curve is None else [_drawn(line, crops[b]) for line in curve] for b, curve in enumerate(row)]
        for row in curves
    ]
    distances = [
        [[] if curve is None else _distances(curve, detected[frame, b]) for b, curve in enumerate(row)]
        for row in curves
    ]
    data = {
        "views": images, "joints": JOINT_TITLES, "lines": lines, "distances": distances, "first": joint("r_wrist"),
        "color": COLOURS["detection"], "line": COLOURS["prediction"],
    }  # fmt: skip
    note = (
        "Choose a joint and a view: the joint of that view gives an epipolar line in each other view, on which the same"
        " joint lies if the rig is correct. Lens distortion bends the lines. Left and right are as triangulation used"
        " them."
    )
    return EpipolarView(f"Epipolar lines, {calibrated[0].recording.name}, frame {frame}", data, note)


def _crop(view: ViewData, frame: int) -> Crop:
    px = view.sorted_px[frame]
    px = px[np.isfinite(px).all(1)]
    return crop_around(px, view.size_px, margin=MARGIN, longer_side_px=SIDE_PX)


def _image(view: ViewData, frame: int, crop: Crop) -> dict[str, object]:
    px = crop.to_crop_px(view.sorted_px[frame])
    joints = [
        point if known else None for point, known in zip(px.round(1).tolist(), np.isfinite(px).all(1), strict=True)
    ]
    image = data_uri(crop.cut(view.images[frame]))
    return {"name": view.name, "image": image, "size": crop.size_px, "joints": joints}


def _curves(source: Camera, target: Camera, px: np.ndarray) -> list[np.ndarray]:
    """The viewing rays of the source's pixels (joint, 2) projected into the target: pixels (point, 2) of each joint."""
    R, center = source.R_cam_from_world, source.center_world_mm
    depth = np.geomspace(NEAR, FAR, DEPTHS) * np.linalg.norm(center - target.center_world_mm)
    points_norm = source.back_project(px, np.ones(len(px)))
    points_cam = target.to_camera((points_norm[:, None] * depth[:, None]) @ R + center)
    in_front = points_cam[..., 2] > NEAR * depth[0]
    pixels = target.with_extrinsics(np.eye(3), np.zeros(3)).project(np.where(in_front[..., None], points_cam, np.nan))
    # Lens models are not valid far outside the image.
    size = np.array(target.size_px)
    near_image: np.ndarray = np.all((pixels > -0.5 * size) & (pixels < 1.5 * size), axis=-1)
    return [line[keep] for line, keep in zip(pixels, near_image, strict=True)]


def _drawn(line: np.ndarray, crop: Crop) -> list[float]:
    """A line (point, 2) as few evenly spaced points in pixels of the crop: x, y, x, y, ..."""
    if len(line) < 2:
        return []
    placed = crop.to_crop_px(line)
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(placed, axis=0), axis=1))])
    at = np.linspace(0, along[-1], POINTS)
    return np.stack([np.interp(at, along, placed[:, i]) for i in range(2)], -1).round(1).ravel().tolist()


def _distances(lines: list[np.ndarray], px: np.ndarray) -> list[float | None]:
    """Distance of each joint (joint, 2) from its line, in pixels of the packed frames."""
    found = [_distance(line, point) for line, point in zip(lines, px, strict=True)]
    return [None if np.isnan(value) else round(value, 1) for value in found]


def _distance(line: np.ndarray, point: np.ndarray) -> float:
    if len(line) < 2 or not np.isfinite(point).all():
        return float("nan")
    start, step = line[:-1], np.diff(line, axis=0)
    share = np.sum((point - start) * step, axis=1) / np.maximum(np.sum(step**2, axis=1), 1e-12)
    nearest = start + np.clip(share, 0, 1)[:, None] * step
    return float(np.linalg.norm(nearest - point, axis=1).min())
