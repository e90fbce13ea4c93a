"""Random generators by purpose: the same seed and names give the same numbers, in whichever process."""

import zlib

import numpy as np

# Worlds share nothing: whoever is drawn in one is drawn in no other, even with equal seeds.
CAPTURE, SINGLES = "capture", "singles"


def generator(seed: int, world: str, *names: str) -> np.random.Generator:
    """A generator of its own for everything that has another name."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in (world, *names))])
