"""Square crops around a person: conversion of positions between image and crop, and the crop's pixels.

Positions in a crop are in the unit square: (0, 0) is its top-left corner, (1, 1) its bottom-right corner.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Num, UInt8

# Side of the crop over the longer side of the person's box.
MARGIN = 1.25


@dataclass(frozen=True)
class Crop:
    """A square region of an image, possibly rotated and mirrored."""

    center_px: np.ndarray  # (2,)
    side_px: float
    angle_rad: float = 0.0  # of the crop's x axis in the image
    mirrored: bool = False

    def to_unit(self, points_px: Num[np.ndarray, "*batch 2"]) -> Float[np.ndarray, "*batch 2"]:
        """Positions in the crop's unit square from pixels of the image."""
        unit: np.ndarray = (points_px - self.center_px) @ self._axes() / self.side_px + 0.5
        return unit

    def to_image(self, points: Num[np.ndarray, "*batch 2"]) -> Float[np.ndarray, "*batch 2"]:
        """Pixels of the image from positions in the crop's unit square."""
        pixels: np.ndarray = (points - 0.5) * self.side_px @ self._axes().T + self.center_px
        return pixels

    def _axes(self) -> np.ndarray:
        """The crop's axes in the image, as columns (2, 2)."""
        c, s = np.cos(self.angle_rad), np.sin(self.angle_rad)
        x = -1.0 if self.mirrored else 1.0
        return np.array([[x * c, -s], [x * s, c]])

    def cut(self, image: UInt8[np.ndarray, "height width 3"], size_px: int) -> UInt8[np.ndarray, "side side 3"]:
        """The crop's pixels, `size_px` on a side; beyond the image its border is repeated."""
        scale = self.side_px / size_px
        # Rows of the affine map from the crop's pixels to the image's.
        warp = np.empty((2, 3))
        warp[:, :2] = self._axes() * scale
        warp[:, 2] = self.center_px - warp[:, :2].sum(1) * (size_px - 1) / 2
        if scale >= 2:
            image, corner = self._surroundings(image, 2 * scale + 2)
            image, shrink = _anti_aliased(image, scale)
            warp[:, 2] = (warp[:, 2] - corner + 0.5) / shrink - 0.5
            warp[:, :2] /= shrink
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(image, warp, (size_px, size_px), flags=flags, borderMode=cv2.BORDER_REPLICATE)

    def _surroundings(self, image: np.ndarray, margin_px: float) -> tuple[np.ndarray, np.ndarray]:
        """The part of an image that contains the crop and a margin, and the part's top-left pixel (x, y)."""
        corners = self.to_image(np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]]))
        size = np.array(image.shape[1::-1])
        low = np.clip(np.floor(corners.min(0) - margin_px), 0, size - 1).astype(int)
        high = np.clip(np.ceil(corners.max(0) + margin_px), low + 1, size).astype(int)
        return image[low[1] : high[1], low[0] : high[0]], low


def _anti_aliased(image: np.ndarray, scale: float) -> tuple[np.ndarray, int]:
    """Shrink an image that is sampled every `scale` pixels, to avoid aliasing; return it and the integer factor."""
    shrink = min(int(scale), *image.shape[:2])
    if shrink < 2:
        return image, 1
    height, width = (n // shrink * shrink for n in image.shape[:2])
    size = (width // shrink, height // shrink)
    return cv2.resize(image[:height, :width], size, interpolation=cv2.INTER_AREA), shrink


def crop_of_box(box_px: Num[np.ndarray, "4"], margin: float = MARGIN) -> Crop:
    """The upright square crop around a box (left, top, right, bottom)."""
    low, high = np.asarray(box_px[:2], float), np.asarray(box_px[2:], float)
    return Crop((low + high) / 2, max(margin * float((high - low).max()), 1.0))


def box_of_joints(joints_px: Num[np.ndarray, "*batch joint 2"]) -> Float[np.ndarray, "*batch 4"]:
    """The box (left, top, right, bottom) of the joints that are not missing."""
    return np.concatenate([np.nanmin(joints_px, -2), np.nanmax(joints_px, -2)], -1)
