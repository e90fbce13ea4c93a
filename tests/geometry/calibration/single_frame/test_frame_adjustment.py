"""The adjustment of one frame from several starts."""

import numpy as np

from pipeline.geometry.calibration.initial_rig import pair_poses
from pipeline.geometry.calibration.single_frame.body_prior import adult_prior
from pipeline.geometry.calibration.single_frame.frame_adjustment import Start, adjust_frame, best_rig, starts_of
from pipeline.skeleton import N_JOINTS
from tests.world.cameras import error_deg_mm, observed, ring
from tests.world.people import people

PRIOR = adult_prior(np.arange(N_JOINTS))
NOISE_PX = 2.0


def frame(seed=0, n_views=4):
    R, t = ring(n_views)
    points_norm, _ = (x[0] for x in observed(people(1, seed=seed), R, t, noise_px=NOISE_PX, seed=seed))
    return points_norm, np.full(points_norm.shape[:2], NOISE_PX / 1000), Start(R, t)


def test_starts_have_as_many_views_as_possible():
    points_norm, sigma, _ = frame()
    sigma[:, 2] = np.inf
    starts = starts_of(points_norm, sigma, pair_poses(points_norm, sigma, 1, 8), 1)
    assert starts
    assert all(start.views.tolist() == [True, True, False, True] for start in starts)


def test_the_start_with_the_least_cost_wins():
    points_norm, sigma, true = frame(seed=3)
    wrong = Start(true.R[[1, 0, 3, 2]], true.t[[1, 0, 3, 2]])
    found = best_rig(points_norm, sigma, [wrong, true], PRIOR, 1.0)
    assert error_deg_mm(found, true.R, true.t)[0] < 3
    assert np.isfinite(found.epipolar_start)
    assert found.cost <= adjust_frame(points_norm, sigma, wrong, PRIOR, 1.0, (6.0, 3.0)).cost


def test_the_cost_per_freedom_is_about_one_for_noise_as_expected():
    costs = []
    for seed in range(12):
        points_norm, sigma, true = frame(seed)
        costs.append(adjust_frame(points_norm, sigma, true, PRIOR, 1.0).cost_per_freedom(points_norm, sigma))
    assert 0.7 < np.mean(costs) < 1.4
