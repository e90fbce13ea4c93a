"""Poses in groups that are far apart."""

import numpy as np

from pipeline.skeleton import N_JOINTS


def heaps(n=600, k=6, spread=0.05, seed=0):
    """Poses (n, joint, 3) around k poses that are far apart, and the group of each, (n,)."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(k, N_JOINTS, 3)) * 300
    which = rng.integers(k, size=n)
    return middles[which] + rng.normal(size=(n, N_JOINTS, 3)) * 300 * spread, which
