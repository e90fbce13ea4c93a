"""Images, plain or with skeletons drawn over them, as data URIs inside the page."""

import base64
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.report.page.theme import COLOURS, LEFT_BONES, PAPER, lighter, rgb
from pipeline.skeleton import BONES

LONGER_SIDE_PX, THUMB_PX = 420, 240
QUALITY = 72  # of the stored images, 1-100
MARGIN = 0.18  # around the skeletons, as a share of their longer side
SUBPIXEL_BITS = 4


@dataclass(frozen=True)
class Crop:
    """A part of an image and its magnification."""

    left: int
    top: int
    right: int
    bottom: int
    zoom: float

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the crop after magnification."""
        return round((self.right - self.left) * self.zoom), round((self.bottom - self.top) * self.zoom)

    def cut(self, image: np.ndarray) -> np.ndarray:
        """The part of an image (H, W, 3), magnified."""
        part = image[self.top : self.bottom, self.left : self.right]
        return cv2.resize(part, self.size_px, interpolation=cv2.INTER_AREA if self.zoom < 1 else cv2.INTER_CUBIC)

    def to_crop_px(self, px: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of the image in pixels of the crop."""
        return (px - (self.left, self.top) + 0.5) * self.zoom - 0.5


def crop_around(
    points_px: np.ndarray, size_px: tuple[int, int], *, margin: float = MARGIN, longer_side_px: int = LONGER_SIDE_PX
) -> Crop:
    """The square around points (n, 2), moved and shrunk so that it lies in the image of (width, height)."""
    size = np.array(size_px)
    # A joint far outside the image (a gross error) is ignored, as the crop would otherwise show the person too small.
    inside = points_px[((points_px > -0.5 * size) & (points_px < 1.5 * size)).all(1)]
    low, high = (inside.min(0), inside.max(0)) if len(inside) else (np.zeros(2), size)
    side = min((1 + 2 * margin) * max(high - low).item() + 8, float(size.min()))
    left, top = np.clip((low + high - side) / 2, 0, np.maximum(size - side, 0)).astype(int).tolist()
    right, bottom = (min(start + int(np.ceil(side)), end) for start, end in zip((left, top), size_px, strict=True))
    return Crop(left, top, right, bottom, longer_side_px / max(right - left, bottom - top))


def data_uri(image: np.ndarray) -> str:
    """An image (H, W, 3) as data in a URI."""
    data = cv2.imencode(".webp", image[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, QUALITY])[1].tobytes()
    return "data:image/webp;base64," + base64.b64encode(data).decode()


def shrunk(image: np.ndarray, longer_side_px: int) -> np.ndarray:
    """An image (H, W, 3) shrunk so that its longer side is at most `longer_side_px`."""
    zoom = min(1.0, longer_side_px / max(image.shape[:2]))
    size = (round(image.shape[1] * zoom), round(image.shape[0] * zoom))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def overlay(image: np.ndarray, skeletons_px: dict[str, np.ndarray], longer_side_px: int = LONGER_SIDE_PX) -> str | None:
    """The crop of an image (H, W, 3) around skeletons (joint, 2) in pixels, with the skeletons, as a data URI.

    The skeletons are named as in `theme.COLOURS` and drawn in the given order. None if no joint is known.
    """
    points = np.concatenate(list(skeletons_px.values()))
    points = points[np.isfinite(points).all(1)]
    if not len(points):
        return None
    crop = crop_around(points, (image.shape[1], image.shape[0]), longer_side_px=longer_side_px)
    drawn = crop.cut(image)
    for name, px in skeletons_px.items():
        _draw(drawn, crop.to_crop_px(px), COLOURS[name])
    return data_uri(drawn)


def _draw(image: np.ndarray, px: np.ndarray, colour: str) -> None:
    drawable = np.isfinite(px).all(1) & (np.abs(np.nan_to_num(px)) < 10 * LONGER_SIDE_PX).all(1)
    fixed = np.round(np.nan_to_num(px) * 2**SUBPIXEL_BITS).astype(int)
    bones = [(i, a, b) for i, (a, b) in enumerate(BONES) if drawable[a] and drawable[b]]
    for _, a, b in bones:  # a light outline, visible on any background
        cv2.line(image, fixed[a].tolist(), fixed[b].tolist(), rgb(PAPER), 5, cv2.LINE_AA, SUBPIXEL_BITS)
    for i, a, b in bones:
        ink = rgb(lighter(colour) if i in LEFT_BONES else colour)
        cv2.line(image, fixed[a].tolist(), fixed[b].tolist(), ink, 3, cv2.LINE_AA, SUBPIXEL_BITS)
        cv2.circle(image, fixed[b].tolist(), 3 << SUBPIXEL_BITS, ink, -1, cv2.LINE_AA, SUBPIXEL_BITS)
