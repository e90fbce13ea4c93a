"""Objects pasted over people in training images (Sárándi et al., How Robust is 3D Human Pose Estimation to Occlusion?,
IROS 2018 workshops): shapes drawn by chance, or pictures of objects from a folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from pipeline.errors import UserError

# An object (H, W, 4), uint8, RGB and opacity, at most `side` pixels long.
MakeObject = Callable[[int, np.random.Generator], np.ndarray]
MOST_OBJECTS = 3
SIDES = (0.08, 0.4)  # of an object, as a share of the image's


def load_occluders(kind: Literal["drawn", "images"], folder: Path) -> MakeObject:
    """What makes the objects to paste: drawn shapes, or the images of a folder.

    Raises UserError where the folder has no PNG images with transparency.
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


def draw_occluder(side: int, rng: np.random.Generator) -> np.ndarray:
    """A rectangle, an ellipse or a pentagon of one colour."""
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
    image: np.ndarray, rng: np.random.Generator, share: float = 0.15, make_object: MakeObject = draw_occluder
) -> np.ndarray:
    """Paste up to three objects over a share of the images (S, S, 3), uint8; the others come back as they are."""
    if rng.random() >= share:
        return image
    size, image = len(image), image.copy()
    for _ in range(rng.integers(1, MOST_OBJECTS + 1)):
        made = make_object(max(1, int(rng.uniform(*SIDES) * size)), rng)
        x, y = (int(at - n / 2) for at, n in zip(rng.uniform(0, size, 2), made.shape[1::-1], strict=True))
        _paste(image, made, x, y)
    return image


def _paste(image: np.ndarray, made: np.ndarray, x: int, y: int) -> None:
    """Lay an object over an image with its corner at (x, y); what lies outside is lost."""
    made = made[max(0, -y) : len(image) - y, max(0, -x) : image.shape[1] - x]
    under = image[max(0, y) : max(0, y) + made.shape[0], max(0, x) : max(0, x) + made.shape[1]]
    opacity = made[..., 3:].astype(np.uint16)
    under[:] = (made[..., :3] * opacity + under * (255 - opacity) + 127) // 255
