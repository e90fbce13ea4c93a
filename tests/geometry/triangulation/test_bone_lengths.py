"""A person's own bone lengths, and joints adjusted to them."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from pipeline.geometry.camera.reprojection import covariance
from pipeline.geometry.triangulation.bone_lengths import fit_bone_lengths, own_lengths
from pipeline.geometry.triangulation.bone_lengths_kernel import BONE_SCALE
from pipeline.geometry.triangulation.methods import ROBUST_WIDTH, robust
from pipeline.skeleton import BONES
from tests.world.cameras import observed, ring
from tests.world.people import people


def test_own_bone_lengths_lower_the_error():
    joints, (R, t) = people(60), ring(4)
    points_norm, sigma = observed(joints, R, t, noise_px=5)
    first = robust(points_norm.reshape(-1, 4, 2), sigma.reshape(-1, 4), R, t).reshape(joints.shape)
    lengths = own_lengths(first)
    true = np.linalg.norm(joints[0, BONES[:, 0]] - joints[0, BONES[:, 1]], axis=-1)
    np.testing.assert_allclose(lengths, true, atol=12)
    refined, _ = fit_bone_lengths(first, points_norm, sigma, R[None], t[None], lengths, 20.0)
    before, after = (np.linalg.norm(x - joints, axis=-1).mean() for x in (first, refined))
    assert after < 0.93 * before
    first[0, 3] = np.nan
    again, _ = fit_bone_lengths(first, points_norm, sigma, R[None], t[None], lengths, 20.0)
    assert np.isnan(again[0, 3]).all()
    np.testing.assert_allclose(again[1:], refined[1:])


def test_fitted_joints_are_the_optimum_with_its_covariance():
    joints, (R, t) = people(1), ring(3)
    points_norm, sigma = observed(joints, R, t, noise_px=4)
    start = robust(points_norm, sigma, R, t)
    lengths = np.linalg.norm(joints[0, BONES[:, 0]] - joints[0, BONES[:, 1]], axis=-1)
    lengths[5] = np.nan
    lengths[12] += 200  # far more than the views allow
    tolerance = 20.0
    refined, covariance = fit_bone_lengths(start, points_norm, sigma, R[None], t[None], lengths, tolerance)

    def residual(x):
        X = x.reshape(-1, 3)
        in_camera = np.einsum("vij,nj->nvi", R, X) + t
        r = (in_camera[..., :2] / in_camera[..., 2:] - points_norm[0]) / sigma[0][..., None]
        reach = ROBUST_WIDTH * sigma[0].min(-1, keepdims=True) / sigma[0]
        r = r / np.sqrt(1 + (r**2).sum(-1, keepdims=True) / reach[..., None] ** 2)
        off = np.abs(np.linalg.norm(X[BONES[:, 0]] - X[BONES[:, 1]], axis=-1) - lengths) / tolerance
        bones = np.where(off < BONE_SCALE, off, np.sqrt(np.maximum(BONE_SCALE * (2 * off - BONE_SCALE), 0)))
        return np.r_[r.ravel(), bones[np.isfinite(bones)]]

    best = least_squares(residual, refined.ravel(), x_scale=10, xtol=1e-12, ftol=1e-12)
    assert (residual(refined.ravel()) ** 2).sum() <= 2 * best.cost * (1 + 1e-3)
    # Without outliers to speak of the robust cost's information is about that of least squares.
    dense = np.linalg.inv(best.jac.T @ best.jac).reshape(17, 3, 17, 3)
    blocks = dense[np.arange(17), :, np.arange(17)][:, *np.triu_indices(3)]
    scale = np.abs(blocks[:, [0, 3, 5]]).sum(-1, keepdims=True)
    np.testing.assert_allclose(covariance[0] / scale, blocks / scale, atol=0.15)


def test_lengths_are_not_biased_by_noise_or_by_a_wrong_sigma():
    joints, (R, t) = people(400), ring(4)
    points_norm, sigma = observed(joints, R, t, noise_px=5)
    points = robust(points_norm, sigma, R, t)
    true = np.linalg.norm(joints[0, BONES[:, 0]] - joints[0, BONES[:, 1]], axis=-1)
    raw = np.median(np.linalg.norm(points[:, BONES[:, 0]] - points[:, BONES[:, 1]], axis=-1), axis=0)
    for honest in (1.0, 3.0):
        scatter = covariance(points, honest * np.full_like(sigma, 0.005), R, t)[..., *np.triu_indices(3)]
        own = own_lengths(points, scatter)
        assert abs(np.mean(own - true)) < 0.4 * abs(np.mean(raw - true))
    assert abs(np.mean(own_lengths(points) - true)) < abs(np.mean(raw - true))


def test_exact_joints_stay_where_they_are():
    joints, (R, t) = people(30), ring(3)
    points_norm, sigma = observed(joints, R, t)
    refined, _ = fit_bone_lengths(joints, points_norm, sigma, R[None], t[None], own_lengths(joints), 20.0)
    np.testing.assert_allclose(refined, joints, atol=1e-6)
    assert np.isnan(own_lengths(joints[:5])).all()


def test_rigs_are_one_or_one_for_each_frame():
    joints, (R, t) = people(3), ring(4)
    points_norm, sigma = observed(joints, R, t)
    with pytest.raises(ValueError, match="2 rigs for 3 frames"):
        fit_bone_lengths(joints, points_norm, sigma, np.stack([R] * 2), np.stack([t] * 2), np.full(16, np.nan), 20.0)
