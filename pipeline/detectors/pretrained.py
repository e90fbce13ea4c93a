"""The detector trained by the stage `pretrain`: background subtraction finds the person, a network the joints."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.detectors.crop_detector import CropDetector
from pipeline.detectors.foreground import background_image, foreground_box, smoothed
from pipeline.detectors.protocol import Detections
from pipeline.learning.images.crops import box_of_joints, crop_of_box
from pipeline.params.detect import DetectParams

PASSES = 2  # the first crops the foreground's box, the others the box of the joints found before
SEARCH_SCALES = (1.0, 0.7, 0.5)  # sides of the squares searched without a background, over the image's longer side


class PretrainedDetector:
    """Top-down 2D pose estimation of the one person in front of a static camera."""

    n_landmarks = 0

    def __init__(self, weights: Path, params: DetectParams) -> None:
        self._crops = CropDetector.load(weights)
        self._sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
        self._batch_size = params.batch_size

    def provenance(self) -> dict[str, str]:
        """Name, version and hash of the weights."""
        return {"name": "pretrained", "version": str(self._crops.metadata["trained_on"]), "sha256": self._sha256}

    def joint_rules(self) -> dict[str, str]:
        """None: the network marks the joints."""
        return {}

    def background(self, clips: Sequence[Sequence[np.ndarray]]) -> np.ndarray | None:
        """The median image of frames sampled from all clips; None if nothing moves."""
        return background_image(clips)

    def detect(self, images: Sequence[np.ndarray], background: np.ndarray | None) -> Detections:
        """Find the person in N images of one camera; without a background, search the whole image."""
        result = Detections.nothing(len(images), self.n_landmarks)
        boxes = self._boxes(images, background)
        found = [i for i, box in enumerate(boxes) if box is not None]
        if not found:
            return result
        crops = [crop_of_box(box, self._crops.margin) for box in boxes if box is not None]
        for number in range(PASSES):
            is_last = number == PASSES - 1
            joints_px, confidence = self._crops.detect(
                [images[i] for i in found], crops, self._batch_size, flip_test=is_last
            )
            joint_boxes = [box_of_joints(joints) for joints in joints_px]
            crops = [crop_of_box(box, self._crops.margin) for box in joint_boxes]
        result.joints_px[found], result.confidence[found], result.box_px[found] = joints_px, confidence, joint_boxes
        return result

    def _boxes(self, images: Sequence[np.ndarray], background: np.ndarray | None) -> list[np.ndarray | None]:
        """The box (4,) of the person in each image, None if there is none."""
        if background is None:
            return [self._search(image) for image in images]
        reference = smoothed(background)
        return [foreground_box(image, reference) for image in images]

    def _search(self, image: np.ndarray) -> np.ndarray:
        """The square box (4,) of the image in which the network's confidence is highest."""
        squares = _squares(image.shape[1], image.shape[0])
        crops = [crop_of_box(square, 1.0) for square in squares]
        _, confidence = self._crops.detect([image] * len(crops), crops, self._batch_size)
        best = int(confidence.mean(1).argmax())
        # The square is the crop; the person's box is smaller by the margin.
        center, half = crops[best].center_px, crops[best].side_px / self._crops.margin / 2
        return np.concatenate([center - half, center + half])


def _squares(width: int, height: int) -> list[np.ndarray]:
    """Squares (4,) that cover an image at several scales."""
    squares = []
    for side in np.array(SEARCH_SCALES) * max(width, height):
        xs, ys = (_centers(side, n) for n in (width, height))
        squares += [np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2]) for x in xs for y in ys]
    return squares


def _centers(side: float, length: int) -> np.ndarray:
    """Up to three evenly spaced centres of intervals of length `side` within a length."""
    half = min(side, length) / 2
    return np.unique(np.linspace(half, length - half, 3))
