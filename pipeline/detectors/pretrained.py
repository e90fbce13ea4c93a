"""The frozen detector trained by the stage pretrain: the person from the background's difference, then the pose."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from pipeline.detectors.crop_detector import CropDetector
from pipeline.detectors.protocol import Detections
from pipeline.learning.images.crops import box_of_joints, crop_of_box
from pipeline.params.detect import DetectParams

BACKGROUND_FRAMES = 60  # of all clips of a camera together
SEARCH_PX = 320  # longer side of the images in which the person is looked for
DIFFERENCE = 14  # levels (0-255) that a person differs from the background, where the noise is less
SHADOW = (0.6, 1.0)  # brightness of a shadow over that of what it falls on
SHADOW_TINT = 0.06  # largest spread of that ratio over the colours
SMALLEST_PERSON = 0.002  # of the image's area
PASSES = 2  # the first on the foreground's box, the others on the box of the joints found before


class PretrainedDetector:
    """Top-down 2D poses of the one person in front of an unmoved camera."""

    n_landmarks = 0

    def __init__(self, weights: Path, params: DetectParams) -> None:
        self._crops = CropDetector.load(weights)
        self._sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
        self._batch_size = params.batch_size

    def provenance(self) -> dict[str, str]:
        """Name, version and hash of the weights."""
        return {"name": "pretrained", "version": str(self._crops.metadata["trained_on"]), "sha256": self._sha256}

    def background(self, clips: Sequence[Sequence[np.ndarray]]) -> np.ndarray | None:
        """The median image of frames sampled from all clips; None where nothing moves, so it would hold the person."""
        frames = _sample(clips, BACKGROUND_FRAMES)
        if len(frames) < 5:
            return None
        background = np.median(np.stack(frames), axis=0).astype(np.uint8)
        ground = smoothed(background)
        found = [foreground_box(frame, ground) is not None for frame in frames]
        return background if np.mean(found) > 0.2 else None

    def detect(self, images: Sequence[np.ndarray], background: np.ndarray | None) -> Detections:
        """Find the person in N images of one camera; without a background, look for them in the whole image."""
        result = Detections.nothing(len(images), self.n_landmarks)
        if background is None:
            boxes = [self._search(image) for image in images]
        else:
            ground = smoothed(background)
            boxes = [foreground_box(image, ground) for image in images]
        there = [i for i, box in enumerate(boxes) if box is not None]
        crops = [crop_of_box(box, self._crops.margin) for box in boxes if box is not None]
        for number in range(PASSES):
            last = number == PASSES - 1
            joints_px, confidence = self._crops.detect(
                [images[i] for i in there], crops, self._batch_size, flip_test=last
            )
            joint_boxes = [box_of_joints(joints) for joints in joints_px]
            crops = [crop_of_box(box, self._crops.margin) for box in joint_boxes]
        if there:
            result.joints_px[there], result.confidence[there], result.box_px[there] = joints_px, confidence, joint_boxes
        return result

    def _search(self, image: np.ndarray) -> np.ndarray | None:
        """The square of the image where the network is surest of a person."""
        squares = _squares(image.shape[1], image.shape[0])
        crops = [crop_of_box(square, 1.0) for square in squares]
        _, confidence = self._crops.detect([image] * len(crops), crops, self._batch_size)
        best = int(confidence.mean(1).argmax())
        # The square is the crop; the box within is smaller by the margin.
        center, half = crops[best].center_px, crops[best].side_px / self._crops.margin / 2
        return np.concatenate([center - half, center + half])


def _sample(clips: Sequence[Sequence[np.ndarray]], n: int) -> list[np.ndarray]:
    """About n frames, evenly spread over all clips."""
    total = sum(len(clip) for clip in clips)
    wanted = np.unique(np.linspace(0, max(total - 1, 0), min(n, total)).round().astype(int))
    frames, start = [], 0
    for clip in clips:
        frames += [clip[int(i) - start] for i in wanted if start <= i < start + len(clip)]
        start += len(clip)
    return frames


def _squares(width: int, height: int) -> list[np.ndarray]:
    """Squares (4,) that cover an image at three scales."""
    squares = []
    for side in np.array([1.0, 0.7, 0.5]) * max(width, height):
        xs, ys = (_centers(side, n) for n in (width, height))
        squares += [np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2]) for x in xs for y in ys]
    return squares


def _centers(side: float, length: int) -> np.ndarray:
    """Up to three centres, evenly spread, of pieces of a length."""
    half = min(side, length) / 2
    return np.unique(np.linspace(half, length - half, 3))


def smoothed(image: np.ndarray) -> np.ndarray:
    """An image (H, W, 3) as it is searched: small, without single noisy pixels."""
    scale = _search_scale(image)
    small = image if scale == 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (3, 3), 0)


def foreground_box(image: np.ndarray, smoothed_background: np.ndarray) -> np.ndarray | None:
    """The box (4,) of what differs most from the background in an image, in pixels; None if nothing does.

    Shadows (darker, of the same tint) do not count.
    """
    mask = _foreground(smoothed(image), smoothed_background)
    # Parts of one person may be apart where the clothing looks like the wall behind.
    joined = cv2.dilate(mask, np.ones((9, 9), np.uint8))
    n, labels = cv2.connectedComponents(joined)
    if n < 2:
        return None
    labels[mask == 0] = 0
    areas = np.bincount(labels.ravel(), minlength=n)
    areas[0] = 0
    largest = int(areas.argmax())
    if areas[largest] < SMALLEST_PERSON * mask.size:
        return None
    x, y, width, height = cv2.boundingRect((labels == largest).astype(np.uint8))
    # Edges of a pixel's area, back in the image's pixels.
    return np.array([x, y, x + width, y + height]) / _search_scale(image) - 0.5


def _search_scale(image: np.ndarray) -> float:
    return min(1.0, SEARCH_PX / max(image.shape[:2]))


def _foreground(image: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Mask (h, w) uint8 of the pixels that differ from the background by more than noise and shadow."""
    red, green, blue = cv2.split(cv2.absdiff(image, background))
    difference = cv2.max(cv2.max(red, green), blue)
    # The median difference of an image that is mostly background measures its noise.
    noise = int(np.searchsorted(np.bincount(difference.ravel()).cumsum(), difference.size / 2))
    mask = (difference > max(DIFFERENCE, 5 * noise)).astype(np.uint8)
    x, y, width, height = cv2.boundingRect(mask)
    if not width:
        return mask
    inside = np.s_[y : y + height, x : x + width]
    mask[inside] &= ~_shadow(image[inside], background[inside])
    return cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))


def _shadow(image: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Mask (h, w) of the pixels that are the background's, darkened alike in all colours."""
    ratio = [
        (a + np.float32(8)) / (b + np.float32(8)) for a, b in zip(cv2.split(image), cv2.split(background), strict=True)
    ]
    # Plane by plane: numpy is slow at reducing a last dimension of three.
    brightest, darkest = (best(best(ratio[0], ratio[1]), ratio[2]) for best in (np.maximum, np.minimum))
    brightness = (ratio[0] + ratio[1] + ratio[2]) / 3
    return (brightest - darkest < SHADOW_TINT) & (brightness > SHADOW[0]) & (brightness < SHADOW[1])
