"""Random generators by purpose: equal seeds and names give equal numbers in every process."""

import zlib

import numpy as np

# Two independent streams: with equal seeds, no person of the capture appears in the single images.
CAPTURE, SINGLES = "capture", "singles"


def generator(seed: int, stream: str, *names: str) -> np.random.Generator:
    """Return the generator of one purpose, named by `stream` and `names`.

    >>> generator(1, CAPTURE, "room").integers(100) == generator(1, CAPTURE, "room").integers(100)
    np.True_
    """
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in (stream, *names))])
