"""Triangulation: exact scenes, an independent optimiser, outliers, order of views, and points that cannot be found."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from pipeline.geometry.camera.reprojection import residuals
from pipeline.geometry.triangulation.labelling import METHODS
from pipeline.geometry.triangulation.methods import ROBUST_WIDTH, linear, pairwise_median, robust
from tests.world.cameras import observed, ring
from tests.world.people import people


def flat(array, n_views):
    return array.reshape(-1, n_views, *array.shape[3:])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_views", [2, 3, 4, 11])
def test_exact_image_points_give_exact_points(method, n_views):
    joints, (R, t) = people(3), ring(n_views)
    points_norm, sigma = observed(joints, R, t)
    points = METHODS[method](flat(points_norm, n_views), flat(sigma, n_views), R, t)
    np.testing.assert_allclose(points, joints.reshape(-1, 3), atol=1e-5)


def test_robust_is_the_optimum_of_its_cost():
    joints, (R, t) = people(2), ring(4)
    points_norm, sigma = (flat(x, 4) for x in observed(joints, R, t, noise_px=5, outliers=0.1))
    points = robust(points_norm, sigma, R, t)

    def cost(x, n):
        r = residuals(x[None], points_norm[n][None], R, t)[0][0]
        return r / sigma[n] / np.sqrt(1 + (r / (ROBUST_WIDTH * sigma[n].min())) ** 2)

    for n in range(0, len(points), 3):
        best = least_squares(cost, points[n], args=(n,), x_scale=10.0, xtol=1e-12)
        assert (cost(points[n], n) ** 2).sum() <= 2 * best.cost * (1 + 1e-3)


def test_robust_withstands_one_wrong_view_of_four_and_others_do_not():
    joints, (R, t) = people(20), ring(4)
    points_norm, sigma = observed(joints, R, t)
    points_norm[:, :, 1] += 0.1
    points_norm, sigma = flat(points_norm, 4), flat(sigma, 4)
    errors = {
        m: np.linalg.norm(f(points_norm, sigma, R, t) - joints.reshape(-1, 3), axis=-1) for m, f in METHODS.items()
    }
    assert np.quantile(errors["robust"], 0.9) < 20 < np.quantile(errors["weighted"], 0.5)
    assert np.quantile(errors["robust"], 0.9) < np.quantile(errors["pairwise_median"], 0.5)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), method=st.sampled_from(["robust", "weighted"]))
def test_order_of_views_and_choice_of_world_change_nothing(seed, method):
    rng = np.random.default_rng(seed)
    joints, (R, t) = people(1, seed), ring(4)
    points_norm, sigma = (flat(x, 4) for x in observed(joints, R, t, noise_px=4, seed=seed))
    points = METHODS[method](points_norm, sigma, R, t)
    order = rng.permutation(4)
    shuffled = METHODS[method](points_norm[:, order], sigma[:, order], R[order], t[order])
    np.testing.assert_allclose(shuffled, points, atol=1e-2)
    Q, shift = Rotation.random(rng=rng).as_matrix(), rng.normal(size=3) * 1000
    # x_old = Q x_new + shift
    elsewhere = METHODS[method](points_norm, sigma, R @ Q, t + R @ shift)
    np.testing.assert_allclose(elsewhere @ Q.T + shift, points, atol=1e-2)


def test_a_rig_for_each_frame_is_the_same_as_one_for_all():
    joints, (R, t) = people(3), ring(4)
    points_norm, sigma = observed(joints, R, t, noise_px=5)
    many = robust(points_norm, sigma, np.stack([R] * 3), np.stack([t] * 3))
    np.testing.assert_allclose(many.reshape(-1, 3), robust(flat(points_norm, 4), flat(sigma, 4), R, t), atol=1e-6)


def test_two_views_meet_at_the_optimum_of_hartley_and_sturm():
    joints, (R, t) = people(10), ring(2, spread=0.5)
    points_norm, _ = observed(joints, R, t, noise_px=8)
    points_norm, sigma = flat(points_norm, 2), np.full((170, 2), 0.01)
    ours = ((residuals(METHODS["pairwise_median"](points_norm, sigma, R, t), points_norm, R, t)[0]) ** 2).sum(-1)
    turn = R[1] @ R[0].T
    x, y, z = t[1] - turn @ t[0]
    F = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ turn
    theirs = cv2.correctMatches(F, points_norm[None, :, 0], points_norm[None, :, 1])
    cost = sum(((new[0] - points_norm[:, v]) ** 2).sum(-1) for v, new in enumerate(theirs))
    np.testing.assert_allclose(ours, cost, rtol=1e-6)


def test_two_views_are_weighted_by_their_confidence():
    joints, (R, t) = people(3), ring(2, spread=0.5)
    points_norm, _ = observed(joints, R, t, noise_px=8)
    points_norm, sigma = flat(points_norm, 2), np.broadcast_to([0.004, 0.02], (51, 2))
    points = METHODS["pairwise_median"](points_norm, sigma, R, t)
    for n in range(0, 51, 7):
        best = least_squares(
            lambda x, n=n: residuals(x[None], points_norm[n][None], R, t)[0][0] / sigma[n],
            points[n],
            x_scale=10,
            xtol=1e-13,
        )
        np.testing.assert_allclose(points[n], best.x, atol=1e-2)


def test_linear_is_close_to_least_squares():
    joints, (R, t) = people(4), ring(4)
    points_norm, sigma = (flat(x, 4) for x in observed(joints, R, t, noise_px=3))
    points = METHODS["weighted"](points_norm, sigma, R, t)
    for n in range(0, len(points), 9):
        best = least_squares(
            lambda x, n=n: residuals(x[None], points_norm[n][None], R, t)[0][0] / sigma[n],
            points[n],
            x_scale=10,
            xtol=1e-13,
        )
        np.testing.assert_allclose(points[n], best.x, atol=2)


@pytest.mark.parametrize("seeing", [2, 3, 9])
def test_many_views_few_of_which_see_a_point(seeing):
    joints, (R, t) = people(8), ring(16)
    points_norm, sigma = (flat(x, 16) for x in observed(joints, R, t))
    rng = np.random.default_rng(1)
    hidden = rng.random(sigma.shape).argsort(1) >= seeing
    if seeing > 3:
        wrong = rng.random(sigma.shape).argsort(1) < 4
        points_norm = points_norm + 0.2 * wrong[..., None]
    points = robust(points_norm, np.where(hidden, np.inf, sigma), R, t)
    error = np.linalg.norm(points - joints.reshape(-1, 3), axis=-1)
    # Outliers far beyond the kernel's scale keep a small weight.
    assert np.median(error) < 0.2
    assert (error < 5).mean() > 0.95


def test_layouts_precisions_and_block_borders_change_nothing():
    joints, (R, t) = people(40), ring(3)
    points_norm, sigma = observed(joints, R, t, noise_px=4, outliers=0.05)
    points = robust(points_norm, sigma, R, t)
    as_captured = [np.ascontiguousarray(np.swapaxes(x, 1, 2)) for x in (points_norm, sigma)]
    np.testing.assert_array_equal(robust(*(np.swapaxes(x, 1, 2) for x in as_captured), R, t), points)
    np.testing.assert_allclose(
        robust(flat(points_norm, 3), flat(sigma, 3), R, t).reshape(points.shape), points, atol=1e-6
    )
    np.testing.assert_allclose(robust(points_norm[11:], sigma[11:], R, t), points[11:], atol=1e-6)
    single = robust(points_norm.astype(np.float32), sigma.astype(np.float32), R, t)
    assert np.quantile(np.abs(single - points), 0.99) < 0.05


@pytest.mark.parametrize("method", METHODS)
def test_nothing_seen_is_nan(method):
    R, t = ring(3)
    assert METHODS[method](np.zeros((0, 3, 2)), np.zeros((0, 3)), R, t).shape == (0, 3)
    points_norm, sigma = observed(people(1), R, t)
    sigma[0, 0] = np.inf
    sigma[0, 1, 1:] = np.inf
    points_norm[0, 2, :2] = np.nan
    points = METHODS[method](points_norm, sigma, R, t)
    assert np.isnan(points).any(-1)[0].tolist() == [True] * 3 + [False] * 14
    assert np.isnan(METHODS[method](points_norm[..., :1, :], sigma[..., :1], R[:1], t[:1])).all()


@pytest.mark.parametrize("method", [robust, linear, pairwise_median])
@pytest.mark.parametrize(
    ("points_norm", "sigma", "R", "t", "wrong"),
    [
        ((5, 4, 2), (5, 4), (3, 3, 3), (3, 3), "R is of shape"),
        ((5, 3, 2), (5, 3), (4, 3, 3), (4, 3), "R is of shape"),
        ((5, 4, 2), (5, 3), (4, 3, 3), (4, 3), "sigma is of shape"),
        ((5, 4, 3), (5, 4), (4, 3, 3), (4, 3), "points_norm is of shape"),
        ((7, 5, 4, 2), (7, 5, 4), (6, 4, 3, 3), (6, 4, 3), "R is of shape"),
        ((5, 4, 2), (5, 4), (4, 3, 3), (4, 1), "t is of shape"),
    ],
)
def test_what_does_not_fit_is_refused(method, points_norm, sigma, R, t, wrong):
    arrays = [np.zeros(shape) for shape in (points_norm, sigma, R, t)]
    with pytest.raises(ValueError, match=f"{method.__name__}: {wrong}"):
        method(*arrays)


@pytest.mark.parametrize("method", [robust, linear, pairwise_median])
@pytest.mark.parametrize("which", [0, 2, 3])
def test_infinite_values_are_refused(method, which):
    R, t = ring(4)
    arrays = [flat(x, 4) for x in observed(people(1), R, t)] + [R, t]
    arrays[which].flat[5] = np.inf
    with pytest.raises(ValueError, match="infinite values"):
        method(*arrays)


def test_one_rotation_for_all_and_a_translation_for_each():
    joints, (R, t) = people(3), ring(4)
    points_norm, sigma = observed(joints, R, t)
    np.testing.assert_array_equal(robust(points_norm, sigma, R, np.stack([t] * 3)), robust(points_norm, sigma, R, t))
