"""Occluders pasted over people in training images: drawn shapes, or pictures of objects from a folder.

Sárándi et al., How Robust is 3D Human Pose Estimation to Occlusion?, IROS 2018 workshops.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from jaxtyping import UInt8

from pipeline.errors import UserError

# Makes an occluder (H, W, 4), uint8, RGB and opacity, from the largest side in pixels and a random generator.
MakeOccluder = Callable[[int, np.random.Generator], np.ndarray]
MAX_OCCLUDERS = 3
SIDES = (0.08, 0.4)  # range of an occluder's longer side, as a share of the image's


def load_occluders(kind: Literal["drawn", "images"], folder: Path) -> MakeOccluder:
    """The function that makes occluders: `draw_occluder`, or a random choice of the PNG images in a folder.

    Raises UserError if the folder has no PNG images with transparency.
    """
    if kind == "drawn":
        return draw_occluder
    pictures = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in sorted(folder.glob("*.png"))]
    occluders = [
        cv2.cvtColor(p, cv2.COLOR_BGRA2RGBA) for p in pictures if p is not None and p.ndim == 3 and p.shape[2] == 4
    ]
    if not occluders:
        what = f"train.augment.occluder_folder = {folder}: none of its {len(pictures)} PNG files has transparency"
        raise UserError(what, fix="Give a folder of such images, or set train.augment.occluders to drawn.")

    def make(side: int, rng: np.random.Generator) -> np.ndarray:
        picture = occluders[rng.integers(len(occluders))]
        scale = side / max(picture.shape[:2])
        size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        made = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(made[:, ::-1]) if rng.random() < 0.5 else made

    return make


def draw_occluder(side: int, rng: np.random.Generator) -> UInt8[np.ndarray, "height width 4"]:
    """A rectangle, an ellipse or a pentagon of one colour, RGB and opacity."""
    width, height = np.maximum(1, (rng.uniform(0.3, 1, 2) * side).astype(int))
    drawn = np.empty((height, width, 4), np.uint8)
    drawn[..., :3] = rng.integers(0, 256, 3)
    shape = rng.integers(3)
    opacity = np.full((height, width), 255 if shape == 0 else 0, np.uint8)
    if shape == 1:
        cv2.ellipse(opacity, (width // 2, height // 2), (width // 2, height // 2), 0, 0, 360, 255, -1)
    elif shape == 2:
        angles = np.sort(rng.uniform(0, 2 * np.pi, 5))
        corners = (np.stack([np.cos(angles), np.sin(angles)], 1) + 1) / 2 * [width - 1, height - 1]
        cv2.fillPoly(opacity, [corners.round().astype(np.int32)], 255)
    drawn[..., 3] = opacity
    return drawn


def paste_occluders(
    image: UInt8[np.ndarray, "side side 3"],
    rng: np.random.Generator,
    prob: float = 0.15,
    make_occluder: MakeOccluder = draw_occluder,
) -> UInt8[np.ndarray, "side side 3"]:
    """A copy of the image with one to three occluders, with the given probability; otherwise the image itself."""
    if rng.random() >= prob:
        return image
    size, image = len(image), image.copy()
    for _ in range(rng.integers(1, MAX_OCCLUDERS + 1)):
        occluder = make_occluder(max(1, int(rng.uniform(*SIDES) * size)), rng)
        x, y = (int(at - n / 2) for at, n in zip(rng.uniform(0, size, 2), occluder.shape[1::-1], strict=True))
        _paste(image, occluder, x, y)
    return image


def _paste(image: np.ndarray, occluder: np.ndarray, x: int, y: int) -> None:
    """Blend an occluder into an image, with its corner at (x, y); the part outside the image is cut off."""
    occluder = occluder[max(0, -y) : len(image) - y, max(0, -x) : image.shape[1] - x]
    under = image[max(0, y) : max(0, y) + occluder.shape[0], max(0, x) : max(0, x) + occluder.shape[1]]
    opacity = occluder[..., 3:].astype(np.uint16)
    under[:] = (occluder[..., :3] * opacity + under * (255 - opacity) + 127) // 255
