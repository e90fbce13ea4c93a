"""What a 2D detector is to the rest of the pipeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pipeline.skeleton import N_JOINTS


@dataclass(frozen=True)
class Detections:
    """What was found in N images of one camera; NaN where nothing was found."""

    joints_px: np.ndarray  # (N, 17, 2) the project's joints
    confidence: np.ndarray  # (N, 17) 0-1
    box_px: np.ndarray  # (N, 4) left, top, right, bottom of the person
    # All points that the detector marks on a person, the same in every view: cameras are calibrated on these. L is 0
    # for a detector that marks nothing but joints.
    landmarks_px: np.ndarray  # (N, L, 2)
    landmark_confidence: np.ndarray  # (N, L) 0-1

    @classmethod
    def nothing(cls, n: int, n_landmarks: int) -> "Detections":
        """Those of images without a person."""
        return cls(
            np.full((n, N_JOINTS, 2), np.nan), np.zeros((n, N_JOINTS)), np.full((n, 4), np.nan),
            np.full((n, n_landmarks, 2), np.nan), np.zeros((n, n_landmarks)),
        )  # fmt: skip


class Detector(Protocol):
    """A frozen 2D pose detector: the same image gives the same result, whatever came before."""

    n_landmarks: int  # how many points it marks besides the joints; 0: none

    def provenance(self) -> dict[str, str]:
        """Name, library version and hash of the weights: what is needed to audit a label."""
        ...

    def background(self, clips: Sequence[Sequence[np.ndarray]]) -> np.ndarray | None:
        """What the detector needs to know of one unmoved camera before its frames, from all clips it filmed."""
        ...

    def detect(self, images: Sequence[np.ndarray], background: np.ndarray | None) -> Detections:
        """Find the person in N images (H, W, 3), uint8, RGB, of one camera."""
        ...
