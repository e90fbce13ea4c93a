"""Images of a still room with and without a person."""

import cv2
import numpy as np
import pytest

from tests.detectors.people import SIZE


@pytest.fixture
def room() -> np.ndarray:
    """A still, textured room."""
    noise = np.random.default_rng(0).integers(90, 200, SIZE, np.uint8)
    return cv2.GaussianBlur(noise, (9, 9), 3)
