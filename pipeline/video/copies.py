"""Views of a recording that show the same images: copies of one video that were encoded again or mirrored."""

from collections.abc import Mapping
from itertools import combinations

import cv2
import numpy as np

from pipeline.errors import UserError
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.video.packing import PackedFrames

# Images are compared in this many frames spread over the recording, as small gray images of this width and height.
SAMPLES, SMALL_PX = 8, (48, 27)
# Images are the same if their difference is below this share of their contrast; encoding again costs some hundredths.
SAME = 0.1
# Contrast in gray levels below which an image shows nothing to compare.
MIN_CONTRAST = 3.0
# Views are copies if this share of the compared frames is the same.
MOST = 0.9


def check_no_copies(views: Mapping[str, PackedFrames], recording: str) -> None:
    """Raise UserError if two views, given by name, show the same images or mirror images of each other."""
    small = {name: _small_images(frames) for name, frames in views.items()}
    for (one, a), (other, b) in combinations(small.items(), 2):
        for mirrored, c in ((False, b), (True, b[:, :, ::-1])):
            if _are_same(a, c):
                how = "mirror images of the same images" if mirrored else "the same images"
                what = f"The videos of {one} and {other} show {how}"
                fix = "One of them is a copy: replace it by the video of its own camera, or remove it."
                raise UserError(what, where=recording, fix=fix)


def _small_images(frames: PackedFrames) -> np.ndarray:
    """Small gray images (N, H, W) of some frames."""
    images = [frames[int(i)] for i in linspace_indices(len(frames), SAMPLES)]
    gray = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in images]
    return np.array([cv2.resize(image, SMALL_PX, None, 0, 0, cv2.INTER_AREA) for image in gray], float)


def _are_same(a: np.ndarray, b: np.ndarray) -> bool:
    contrast = np.minimum(a.std((1, 2)), b.std((1, 2)))
    difference = np.sqrt(((a - b) ** 2).mean((1, 2)))
    can_tell = contrast >= MIN_CONTRAST
    return bool(can_tell.any() and (difference < SAME * contrast)[can_tell].mean() >= MOST)
