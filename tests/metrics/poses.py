"""Poses to measure."""

import numpy as np
from scipy.spatial.transform import Rotation

from pipeline.skeleton import N_JOINTS


def poses(seed, n=5):
    return np.random.default_rng(seed).normal(size=(n, N_JOINTS, 3)) * 300


def moved(pose, seed=0, scale=1.0):
    R = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    return scale * pose @ R.T + np.array([10, -20, 3000])
