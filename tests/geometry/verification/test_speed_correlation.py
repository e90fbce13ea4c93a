"""Lags at which image speeds are alike."""

import numpy as np
import pytest

from pipeline.geometry.verification.pair_lag import Tracks
from pipeline.geometry.verification.speed_correlation import likely_lags, speed_correlation
from tests.world.cameras import project_norm, ring
from tests.world.people import moving

FPS = 25.0


def tracks(lag: float, view: int, rows: np.ndarray) -> Tracks:
    R, t = ring(2)
    points = project_norm(moving((rows - lag) / FPS, 3), R[view : view + 1], t[view : view + 1])[:, :, 0]
    return Tracks.of(points, np.full(points.shape[:2], 0.01), np.cumsum(np.diff(rows, prepend=0) > 1), rows * 0, 2)


@pytest.mark.parametrize("lag", [0, 30, -42])
def test_the_true_lag_is_among_the_likely_ones(lag):
    rows = np.arange(250)
    lags = likely_lags(tracks(0, 0, rows), tracks(lag, 1, rows), 60, 8, 6)
    assert min(abs(found - lag) for found in lags) <= 3
    assert len(lags) <= 6
    assert all(abs(a - b) >= 8 for i, a in enumerate(lags) for b in lags[:i])


def test_windows_are_not_joined():
    rows = np.r_[0:150, 400:550]
    lags = likely_lags(tracks(0, 0, rows), tracks(30, 1, rows), 60, 8, 6)
    assert min(abs(found - 30) for found in lags) <= 3


def test_without_motion_no_lag_is_likely():
    still = Tracks.of(np.zeros((80, 3, 2)), np.full((80, 3), 0.01), np.zeros(80, int), np.zeros(80, int), 1)
    assert likely_lags(still, still, 20, 5, 4) == []
    assert np.isnan(speed_correlation(still, still, 20)).all()
