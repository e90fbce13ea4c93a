"""Which frames differ, and windows spread over a recording."""

from itertools import pairwise

import numpy as np
import pytest

from pipeline.geometry.frame_sampling import (
    diverse_frames,
    linspace_indices,
    nearest_exemplar,
    spread_windows,
)
from tests.world.cameras import observed, ring
from tests.world.people import people


def test_diverse_frames_prefers_what_differs():
    points_norm, sigma = observed(np.concatenate([np.repeat(people(1), 50, 0), people(5, seed=1)]), *ring(2))
    order, n_distinct = diverse_frames(points_norm, sigma, 6)
    assert n_distinct == 6
    assert set(range(50, 55)) < set(order.tolist())
    numbers = nearest_exemplar(points_norm, sigma, points_norm[[0, 52]], sigma[[0, 52]])
    assert (numbers[:50] == 0).all()
    assert numbers[52] == 1


def test_frames_that_share_no_detections_are_not_the_same_pose():
    R, t = ring(4)
    points_norm, sigma = observed(people(2), R, t)
    sigma[0, :, :2], sigma[1, :, 2:] = np.inf, np.inf
    order, n_distinct = diverse_frames(points_norm, sigma, 6)
    assert n_distinct == 2
    assert sorted(order) == [0, 1]
    assert nearest_exemplar(points_norm, sigma, points_norm[order], sigma[order]).tolist() == np.argsort(order).tolist()


def test_frames_without_detections_are_never_chosen():
    R, t = ring(4)
    points_norm, sigma = observed(people(3), R, t)
    sigma[1] = np.inf
    order, n_distinct = diverse_frames(points_norm, sigma, 6)
    assert n_distinct == 2
    assert sorted(order) == [0, 2]
    assert diverse_frames(points_norm, np.full_like(sigma, np.inf), 6)[1] == 1


def test_linspace_indices():
    assert linspace_indices(10, 3).tolist() == [0, 4, 9]
    assert linspace_indices(0, 3).tolist() == []


@pytest.mark.parametrize("n_frames", [1, 128, 225, 511, 512, 513, 600, 1000, 10_000])
def test_windows_are_as_many_as_asked_and_lie_apart(n_frames):
    windows = spread_windows(n_frames, 4, 128)
    assert len(windows) == min(4, -(-n_frames // 128))
    assert windows[0][0] == 0
    assert windows[-1][1] == n_frames
    gaps = [after[0] - before[1] for before, after in pairwise(windows)]
    assert min(gaps, default=0) >= 0
    assert max(gaps, default=0) - min(gaps, default=0) <= 1
    assert sum(stop - start for start, stop in windows) == min(n_frames, 512)
