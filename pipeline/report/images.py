"""Pictures with skeletons drawn into them, as data that stands inside the page."""

import base64

import cv2
import numpy as np

from pipeline.report.look import COLOURS, LEFT_BONES, PAPER, lighter, rgb
from pipeline.skeleton import BONES

LONGER_SIDE_PX = 420
JPEG_QUALITY = 82
MARGIN = 0.18  # around the skeletons, as a share of their longer side
SUBPIXEL_BITS = 4


def overlay(image: np.ndarray, skeletons_px: dict[str, np.ndarray]) -> str | None:
    """The part of an image (H, W, 3) around the skeletons (joint, 2) drawn into it, as a data URI.

    Skeletons are named as in `look.COLOURS` and drawn in their order; None where none has a joint.
    """
    points = np.concatenate(list(skeletons_px.values()))
    points = points[np.isfinite(points).all(1)]
    if not len(points):
        return None
    crop, offset, zoom = _crop(image, points)
    for name, px in skeletons_px.items():
        _draw(crop, (px - offset + 0.5) * zoom - 0.5, COLOURS[name])
    data = cv2.imencode(".jpg", crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()


def _crop(image: np.ndarray, points_px: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """A square around the points that lies in the image as far as it can, its corner, and its magnification."""
    size = np.array(image.shape[1::-1])
    # A joint far outside (a gross error) must not shrink the person to a dot.
    inside = points_px[((points_px > -0.5 * size) & (points_px < 1.5 * size)).all(1)]
    low, high = (inside.min(0), inside.max(0)) if len(inside) else (np.zeros(2), size)
    side = min((1 + 2 * MARGIN) * max(high - low).item() + 8, float(size.min()))
    start = np.clip((low + high - side) / 2, 0, np.maximum(size - side, 0)).astype(int)
    stop = np.minimum(start + int(np.ceil(side)), size)
    crop = image[start[1] : stop[1], start[0] : stop[0]]
    zoom = LONGER_SIDE_PX / max(crop.shape[:2])
    target = (round(crop.shape[1] * zoom), round(crop.shape[0] * zoom))
    return cv2.resize(crop, target, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC), start, zoom


def _draw(image: np.ndarray, px: np.ndarray, colour: str) -> None:
    drawable = np.isfinite(px).all(1) & (np.abs(np.nan_to_num(px)) < 10 * LONGER_SIDE_PX).all(1)
    fixed = np.round(np.nan_to_num(px) * 2**SUBPIXEL_BITS).astype(int)
    bones = [(i, a, b) for i, (a, b) in enumerate(BONES) if drawable[a] and drawable[b]]
    for _, a, b in bones:  # a light rim keeps the lines visible on any ground
        cv2.line(image, fixed[a].tolist(), fixed[b].tolist(), rgb(PAPER), 5, cv2.LINE_AA, SUBPIXEL_BITS)
    for i, a, b in bones:
        ink = rgb(lighter(colour) if i in LEFT_BONES else colour)
        cv2.line(image, fixed[a].tolist(), fixed[b].tolist(), ink, 3, cv2.LINE_AA, SUBPIXEL_BITS)
        cv2.circle(image, fixed[b].tolist(), 3 << SUBPIXEL_BITS, ink, -1, cv2.LINE_AA, SUBPIXEL_BITS)
