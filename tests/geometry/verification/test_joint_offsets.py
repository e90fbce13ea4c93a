"""Offsets of all views, adjusted together with the rig and the points."""

import numpy as np
import pytest

from pipeline.geometry.verification.joint_offsets import adjust_offsets
from tests.geometry.verification.test_time_offset import FPS, filmed
from tests.world.cameras import ring


def offsets(lags, seed=0, **changes):
    points_norm, sigma = filmed(lags, seed, **changes)
    R, t = ring(len(lags))
    return adjust_offsets(points_norm, sigma, np.zeros(len(sigma), int), R, t, fps=FPS)


@pytest.mark.parametrize("seed", range(3))
def test_small_offsets_are_found_within_their_standard_deviations(seed):
    lags = np.array([0, 0.3, -0.25, 0.1])
    found = offsets(lags.tolist(), seed)
    first = np.arange(4) == 0
    for v in range(1, 4):
        offset, std = found.against(v, first)
        assert offset == pytest.approx(lags[v], abs=4 * std)
        assert 0.05 < std < 0.2


def test_exact_points_give_exact_offsets():
    found = offsets([0, 0, 0], noise_px=0.0)
    np.testing.assert_allclose(found.frames, 0, atol=1e-3)


def test_too_few_points_tell_nothing():
    assert offsets([0, 0], seconds=0.1) is None
    points_norm, sigma = filmed([0, 0, 0], 0, seconds=2.0)
    sigma[:, :, 1:] = np.inf
    R, t = ring(3)
    assert adjust_offsets(points_norm, sigma, np.zeros(len(sigma), int), R, t, fps=FPS) is None
