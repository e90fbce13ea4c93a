"""The stated uncertainty of a single frame's rig."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.geometry.align import rig_similarity, rotation_angle
from pipeline.geometry.calibration.single_frame.body_prior import adjust_to_body, adult_prior
from pipeline.geometry.calibration.single_frame.rig_uncertainty import pose_covariance
from pipeline.geometry.triangulation.methods import robust
from pipeline.skeleton import N_JOINTS
from tests.world.cameras import centers_of, observed, ring
from tests.world.people import people

PRIOR = adult_prior(np.arange(N_JOINTS))
WIDTH = 4.0


def adjusted(seed, prior=PRIOR, noise_px=3.0):
    R, t = ring(4)
    joints = people(1, seed=seed)
    points_norm, _ = (x[0] for x in observed(joints, R, t, noise_px=noise_px, seed=seed))
    sigma = np.full(points_norm.shape[:2], noise_px / 1000)
    found = adjust_to_body(points_norm, sigma, R, t, robust(points_norm, sigma, R, t), prior, width=WIDTH, noise=1.0)
    return points_norm, sigma, found, (R, t)


def test_the_error_is_as_large_as_stated():
    ratios = []
    for seed in range(40):
        points_norm, sigma, (R, t, points, _), true = adjusted(seed)
        covariance = pose_covariance(points_norm, sigma, R, t, points, PRIOR, width=WIDTH, noise=1.0)
        _, Q, _ = rig_similarity(R, centers_of(R, t), true[0], centers_of(*true))
        error = rotation_angle(R @ Q.T @ np.swapaxes(true[0], -1, -2))
        variance = np.einsum("vivi->vi", covariance.reshape(4, 6, 4, 6))[:, :3].sum(-1)
        ratios.append((error**2).mean() / variance.mean())
    assert 0.5 < np.mean(ratios) < 1.6


def test_less_is_known_with_more_noise_and_without_the_prior():
    points_norm, sigma, (R, t, points, _), _ = adjusted(1)
    none = replace(PRIOR, rows=PRIOR.rows[:0], expected=PRIOR.expected[:0], std=PRIOR.std[:0])
    own, noisier, alone = (
        np.trace(pose_covariance(points_norm, sigma, R, t, points, prior, width=WIDTH, noise=noise)[:3, :3])
        for prior, noise in ((PRIOR, 1.0), (PRIOR, 3.0), (none, 1.0))
    )
    assert noisier > 1.5 * own
    assert alone > 1.05 * own


def test_a_joint_that_is_not_known_does_not_count():
    points_norm, sigma, (R, t, points, _), _ = adjusted(1)
    points[4], points_norm[4] = np.nan, np.nan
    fewer = pose_covariance(points_norm, sigma, R, t, points, PRIOR, width=WIDTH, noise=1.0)
    assert np.isfinite(fewer).all()
    np.testing.assert_allclose(fewer, fewer.T, atol=1e-6 * np.abs(fewer).max())


def test_infinite_points_are_refused():
    points_norm, sigma, (R, t, points, _), _ = adjusted(1)
    points[0, 0] = np.inf
    with pytest.raises(ValueError, match="points"):
        pose_covariance(points_norm, sigma, R, t, points, PRIOR, width=WIDTH, noise=1.0)
