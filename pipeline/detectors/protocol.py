"""The interface of a 2D detector, and its result."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pipeline.skeleton import N_JOINTS


@dataclass(frozen=True)
class Detections:
    """The person in each of N images of one camera; NaN with confidence 0 in images where no person was found.

    Landmarks are all L points that the detector marks on a person, the same points in every view. Cameras are
    calibrated from the landmarks. L is 0 for a detector that marks joints only.
    """

    joints_px: np.ndarray  # (N, 17, 2) the project's joints
    confidence: np.ndarray  # (N, 17) 0-1
    box_px: np.ndarray  # (N, 4) left, top, right, bottom of the person
    landmarks_px: np.ndarray  # (N, L, 2)
    landmark_confidence: np.ndarray  # (N, L) 0-1

    @classmethod
    def nothing(cls, n: int, n_landmarks: int) -> "Detections":
        """The result for n images without a person."""
        return cls(
            np.full((n, N_JOINTS, 2), np.nan), np.zeros((n, N_JOINTS)), np.full((n, 4), np.nan),
            np.full((n, n_landmarks, 2), np.nan), np.zeros((n, n_landmarks)),
        )  # fmt: skip


class Detector(Protocol):
    """A frozen 2D pose detector: an image's result does not depend on the images before it."""

    n_landmarks: int  # points that it marks besides the joints

    def provenance(self) -> dict[str, str]:
        """Name, library version and hash of the weights, so that every label can be traced to its detector."""
        ...

    def joint_rules(self) -> dict[str, str]:
        """How each joint is made from the landmarks, in words; empty for a detector that marks the joints."""
        ...

    def background(self, clips: Sequence[Sequence[np.ndarray]]) -> np.ndarray | None:
        """The background image of one static camera, from all its clips; None if the detector uses none.

        A clip is a sequence of images (H, W, 3), uint8, RGB.
        """
        ...

    def detect(self, images: Sequence[np.ndarray], background: np.ndarray | None) -> Detections:
        """Find the person in N images (H, W, 3), uint8, RGB, of one camera with the given background image."""
        ...
