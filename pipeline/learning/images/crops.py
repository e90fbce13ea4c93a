"""Square crops around a person: between an image's pixels and the unit square, and the pixels themselves.

Positions in a crop are of the unit square: (0, 0) its top-left corner, (1, 1) its bottom-right corner.
"""

from dataclasses import dataclass

import cv2
import numpy as np

# Side of the crop over the longer side of the person's box.
MARGIN = 1.25


@dataclass(frozen=True)
class Crop:
    """A square region of an image, possibly turned and mirrored."""

    center_px: np.ndarray  # (2,)
    side_px: float
    angle_rad: float = 0.0  # of the crop's x axis in the image
    mirrored: bool = False

    def to_unit(self, points_px: np.ndarray) -> np.ndarray:
        """Positions (..., 2) in the crop of an image's pixels (..., 2)."""
        return (points_px - self.center_px) @ self._axes() / self.side_px + 0.5

    def to_image(self, points: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of positions (..., 2) in the crop."""
        return (points - 0.5) * self.side_px @ self._axes().T + self.center_px

    def _axes(self) -> np.ndarray:
        """The crop's axes in the image, as columns (2, 2)."""
        c, s = np.cos(self.angle_rad), np.sin(self.angle_rad)
        x = -1.0 if self.mirrored else 1.0
        return np.array([[x * c, -s], [x * s, c]])

    def cut(self, image: np.ndarray, size_px: int) -> np.ndarray:
        """The crop's pixels (size_px, size_px, 3) from an image; beyond its border the border is repeated."""
        scale = self.side_px / size_px
        # Rows of the affine map from the crop's pixels to the image's.
        warp = np.empty((2, 3))
        warp[:, :2] = self._axes() * scale
        warp[:, 2] = self.center_px - warp[:, :2].sum(1) * (size_px - 1) / 2
        if scale >= 2:
            image, corner = self._around(image, 2 * scale + 2)
            image, shrink = _without_aliasing(image, scale)
            warp[:, 2] = (warp[:, 2] - corner + 0.5) / shrink - 0.5
            warp[:, :2] /= shrink
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(image, warp, (size_px, size_px), flags=flags, borderMode=cv2.BORDER_REPLICATE)

    def _around(self, image: np.ndarray, margin_px: float) -> tuple[np.ndarray, np.ndarray]:
        """The part of an image that the crop and a margin take up, and its top-left pixel (x, y)."""
        corners = self.to_image(np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]]))
        size = np.array(image.shape[1::-1])
        low = np.clip(np.floor(corners.min(0) - margin_px), 0, size - 1).astype(int)
        high = np.clip(np.ceil(corners.max(0) + margin_px), low + 1, size).astype(int)
        return image[low[1] : high[1], low[0] : high[0]], low


def _without_aliasing(image: np.ndarray, scale: float) -> tuple[np.ndarray, int]:
    """Shrink an image by a whole factor so that linear interpolation at `scale` skips no pixels."""
    shrink = min(int(scale), *image.shape[:2])
    if shrink < 2:
        return image, 1
    height, width = (n // shrink * shrink for n in image.shape[:2])
    size = (width // shrink, height // shrink)
    return cv2.resize(image[:height, :width], size, interpolation=cv2.INTER_AREA), shrink


def crop_of_box(box_px: np.ndarray, margin: float = MARGIN) -> Crop:
    """The upright square crop around a box (4,) left, top, right, bottom."""
    low, high = np.asarray(box_px[:2], float), np.asarray(box_px[2:], float)
    return Crop((low + high) / 2, max(margin * float((high - low).max()), 1.0))


def box_of_joints(joints_px: np.ndarray) -> np.ndarray:
    """The box (..., 4) left, top, right, bottom of joints (..., J, 2), those that are there."""
    return np.concatenate([np.nanmin(joints_px, -2), np.nanmax(joints_px, -2)], -1)
