"""Detections of people by the ring of cameras, with noise in units of a known sigma."""

from dataclasses import dataclass

import numpy as np

from pipeline.geometry.triangulation.labelling import Labelled, label
from tests.world.cameras import project_norm, ring
from tests.world.people import people

SIGMA, LIMIT = 0.004, 0.1


@dataclass(frozen=True)
class Scene:
    """People, and what a detector with a noise of `SIGMA` marks in each view."""

    joints: np.ndarray  # (F, J, 3)
    points_norm: np.ndarray  # (F, J, V, 2)
    R: np.ndarray  # (1, V, 3, 3)
    t: np.ndarray  # (1, V, 3)

    @property
    def sigma(self) -> np.ndarray:
        return np.full(self.points_norm.shape[:-1], SIGMA)

    @property
    def limit(self) -> np.ndarray:
        return np.full(self.points_norm.shape[:-1], LIMIT)

    def label(self, sigma: np.ndarray) -> Labelled:
        return label(self.points_norm, sigma, self.limit, self.R, self.t, method="robust", min_views=2)


def scene(n_frames: int = 100, n_views: int = 4, noise: np.ndarray | float = 1.0, seed: int = 0) -> Scene:
    """Independent normal noise, times `noise` (broadcast to frame, joint, view, coordinate)."""
    joints, (R, t) = people(n_frames, seed), ring(n_views)
    exact = project_norm(joints, R, t)
    error = np.random.default_rng([seed, 1]).normal(size=exact.shape)
    return Scene(joints, exact + SIGMA * noise * error, R[None], t[None])
