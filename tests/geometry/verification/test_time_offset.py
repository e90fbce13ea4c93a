"""Time offsets between views, found from people in motion without a rig."""

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipeline.geometry.verification.time_offset import TimeOffsets, find_time_offsets
from tests.world.cameras import FOCAL_PX, project_norm, ring
from tests.world.people import moving

FPS = 25.0


def filmed(
    lags: list[float], seed: int, *, seconds: float = 6.0, speed: float = 1.0, noise_px: float = 4.0
) -> tuple[np.ndarray, np.ndarray]:
    """Points and sigma of views that show everything some frames late, with errors that last, and outliers."""
    rng, n = np.random.default_rng(seed), round(seconds * FPS)
    R, t = ring(len(lags))
    views = []
    for v, lag in enumerate(lags):
        exact = project_norm(moving((np.arange(n) - lag) / FPS, seed, speed), R[v : v + 1], t[v : v + 1])[:, :, 0]
        error = rng.normal(size=exact.shape)
        for f in range(1, n):
            error[f] = 0.9 * error[f - 1] + np.sqrt(1 - 0.9**2) * error[f]
        constant = rng.normal(size=(1, *exact.shape[1:]))
        points = exact + noise_px / FOCAL_PX * (error + constant)
        wrong = rng.random(points.shape[:2]) < 0.03
        views.append(np.where(wrong[..., None], points[:, rng.permutation(17)], points))
    points_norm = np.stack(views, 2)
    return points_norm, np.full(points_norm.shape[:3], 0.008)


def offsets(lags: list[float], seed: int, fps: float = FPS, **changes) -> TimeOffsets:
    points_norm, sigma = filmed(lags, seed, **changes)
    return find_time_offsets(points_norm, sigma, np.zeros(len(sigma), int), fps=fps, seed=0)


@settings(deadline=None, max_examples=3, phases=[Phase.explicit, Phase.generate])
@given(lag=st.floats(-20, 20), seed=st.integers(0, 50))
def test_a_late_view_is_found_within_its_standard_deviation(lag, seed):
    found = offsets([0, 0, lag], seed)
    assert found.frames[2] == pytest.approx(lag, abs=5 * found.std[2])
    assert found.std[2] < 1
    if abs(lag) > 3:
        assert found.in_step.tolist() == [True, True, False]
        assert found.effect[2] > 1.5


@pytest.mark.parametrize("lag", [-6.0, 15.0])
def test_two_views(lag):
    found = offsets([0, lag], 1)
    assert found.in_step.sum() == 1
    late, std = found.frames[~found.in_step].item(), found.std[~found.in_step].item()
    assert late == pytest.approx(lag if found.in_step[0] else -lag, abs=4 * std)
    assert std < 0.5


@pytest.mark.parametrize("seed", range(4))
def test_views_in_step_are_not_blamed(seed):
    found = offsets([0.0] * (2 + seed % 3), seed, noise_px=[4.0, 8.0][seed // 2])
    assert found.in_step.all()
    assert (np.abs(found.frames) < 4 * found.std).all()


def test_slow_motion_claims_nothing():
    found = offsets([0, 0, 3.0], 2, speed=0.02)
    assert found.in_step.all()
    assert found.reference.all()
    assert (found.effect < 1).all()


@pytest.mark.parametrize("frozen", [[2], [0, 1, 2]])
def test_frozen_pictures_claim_nothing(frozen):
    points_norm, sigma = filmed([0, 0, 0], 2)
    points_norm[:, :, frozen] = points_norm[:1, :, frozen]
    found = find_time_offsets(points_norm, sigma, np.zeros(len(sigma), int), fps=FPS, seed=0)
    assert found.compared.tolist() == [v not in frozen for v in range(3)]
    assert found.in_step.all()
    assert np.isfinite(found.std[found.compared]).all()


def test_two_camps_of_views_are_told_apart():
    found = offsets([0, 8.0, 0, 8.0], 3, seconds=4.0)
    assert found.in_step[0] == found.in_step[2] != found.in_step[1] == found.in_step[3]


def test_many_views_are_compared_with_neighbours_only():
    found = offsets([0, 0, 0, -9.0, 0, 0], 4, seconds=3.0)
    assert np.flatnonzero(~found.in_step).tolist() == [3]
    assert found.frames[3] == pytest.approx(-9, abs=4 * found.std[3])
    assert found.std[3] < 0.5


def test_windows_are_not_joined():
    points_norm, sigma = filmed([0, 0, 5.0], 5, seconds=8.0)
    rows = np.r_[0:80, 120:200]
    found = find_time_offsets(points_norm[rows], sigma[rows], (rows >= 120).astype(int), fps=FPS, seed=0)
    assert found.frames[2] == pytest.approx(5, abs=0.5)


def test_without_common_detections_nothing_is_claimed():
    points_norm, sigma = filmed([0, 0], 1, seconds=2.0)
    sigma[:, :, 1] = np.inf
    found = find_time_offsets(points_norm, sigma, np.zeros(len(sigma), int), fps=FPS, seed=0)
    assert found.in_step.all()
    assert np.isnan(found.frames).all()
    empty = find_time_offsets(points_norm[:0], sigma[:0], np.zeros(0, int), fps=FPS, seed=0)
    assert empty.in_step.all()


def test_wrong_shapes_and_infinite_points_are_refused():
    points_norm, sigma = filmed([0, 0], 1, seconds=1.0)
    with pytest.raises(ValueError, match="window"):
        find_time_offsets(points_norm, sigma, np.zeros(3, int), fps=FPS, seed=0)
    points_norm[0, 0, 0] = np.inf
    with pytest.raises(ValueError, match="infinite"):
        find_time_offsets(points_norm, sigma, np.zeros(len(sigma), int), fps=FPS, seed=0)


@pytest.mark.parametrize("seed", range(4))
def test_a_few_frames_tell_nothing(seed):
    found = offsets([0, 0, 6.0], seed, seconds=1.5)
    assert found.in_step.all()
    assert np.isnan(found.frames).all()
