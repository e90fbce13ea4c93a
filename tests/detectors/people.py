"""A drawn person in front of a room."""

import numpy as np

SIZE = (160, 200, 3)


def with_person(room: np.ndarray, left: int, seed: int = 0) -> np.ndarray:
    """A dark, coloured person of 24 x 70 px whose left edge is at `left`, with camera noise."""
    image = room.astype(float) + np.random.default_rng(seed).normal(0, 3, SIZE)
    image[50:120, left : left + 24] = [20, 40, 130]
    return image.clip(0, 255).astype(np.uint8)
