"""Distances from projections, and the covariance of points."""

import numpy as np
import pytest

from pipeline.geometry.camera.reprojection import covariance, residuals
from pipeline.geometry.triangulation.labelling import METHODS
from tests.world.cameras import observed, ring
from tests.world.people import people


def flat(array, n_views):
    return array.reshape(-1, n_views, *array.shape[3:])


@pytest.mark.parametrize("rigs", [1, 5])
def test_residuals_are_those_of_the_pinhole_with_their_exceptions(rigs):
    joints, (R, t) = people(5), ring(3)
    points_norm, _ = observed(joints, R, t, noise_px=5)
    points_norm[0, 0, 0], joints[1, 1] = np.nan, np.nan
    joints[2, 2] = R[0].T @ ([0, 0, -3000] - t[0])
    R, t = np.repeat(R[None], rigs, 0), np.repeat(t[None], rigs, 0)
    t[-1, 2] = np.nan
    in_camera = np.einsum("gvij,fnj->fnvi", R[:1], joints) + np.broadcast_to(t, (5, 3, 3))[:, None]
    expected = np.linalg.norm(in_camera[..., :2] / in_camera[..., 2:] - points_norm, axis=-1)
    expected[2, 2, 0] = np.inf
    distance, depth = residuals(joints, points_norm, R, t)
    np.testing.assert_allclose(depth, in_camera[..., 2], rtol=1e-12)
    np.testing.assert_allclose(distance, expected, rtol=1e-9)
    assert np.isnan([distance[0, 0, 0], *distance[1, 1], *distance[-1, :, 2]]).all()


def test_covariance_is_the_scatter():
    joints, (R, t) = np.repeat(people(1), 4000, 0)[:, 9:10], ring(3)
    clean, _ = observed(joints, R, t)
    sigma = np.full((4000, 3), 0.005)
    points_norm = flat(clean, 3) + np.random.default_rng(0).normal(size=(4000, 3, 2)) * 0.005
    points = METHODS["weighted"](points_norm, sigma, R, t)
    expected = covariance(joints[:1, 0], sigma[:1], R, t)[0]
    np.testing.assert_allclose(np.cov(points.T), expected, atol=0.1 * np.trace(expected))
    lone = np.array([[0.005, np.inf, np.inf]])
    assert np.isinf(covariance(joints[:1, 0], lone, R, t)).all()


def test_another_number_of_views_is_refused():
    points, points_norm, sigma = np.zeros((5, 3)), np.zeros((5, 4, 2)), np.ones((5, 4))
    R, t = np.zeros((3, 3, 3)), np.zeros((3, 3))
    with pytest.raises(ValueError, match=r"residuals: R is of shape \(3, 3, 3\).*points_norm of shape \(5, 4, 2\)"):
        residuals(points, points_norm, R, t)
    with pytest.raises(ValueError, match=r"covariance: R is of shape \(3, 3, 3\).*sigma of shape \(5, 4\)"):
        covariance(points, sigma, R, t)
