"""Triangulation: exact scenes, an independent optimiser, outliers, views in any order, and what cannot be told."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from pipeline.geometry.camera.reprojection import covariance, residuals
from pipeline.geometry.triangulation.labelling import METHODS, Status, label
from pipeline.geometry.triangulation.methods import ROBUST_WIDTH, linear, pairwise_median, robust
from tests.geometry.scene import looking_at, observed, people, ring


def flat(array, n_views):
    return array.reshape(-1, n_views, *array.shape[3:])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_views", [2, 3, 4, 11])
def test_exact_rays_give_exact_points(method, n_views):
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


def test_robust_forgives_one_wrong_view_of_four_where_the_others_do_not():
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


def test_two_views_are_weighted_as_they_are_sure():
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
    # What is left of outliers far beyond the reach still pulls a little.
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


def labelled(points_norm, sigma, R, t, **options):
    limit = np.full(sigma.shape, 0.05)
    return label(points_norm, sigma, limit, R[None], t[None], **{"method": "robust", "min_views": 2} | options)


def test_every_joint_gets_its_reason():
    joints, (R, t) = people(1), ring(4)
    points_norm, sigma = observed(joints, R, t)
    sigma[0, 0, 1:] = np.inf  # one view left
    points_norm[0, 1] += [[0.2, 0.2], [-0.2, -0.3], [0.2, -0.2], [-0.1, 0.3]]  # no three agree
    points_norm[0, 2, 2] += 0.2  # one outlier
    points_norm[0, 3, 0] = np.nan
    made = labelled(points_norm, sigma, R, t, min_views=3)
    assert made.status[0, :4].tolist() == [Status.TOO_FEW_VIEWS, Status.TOO_FEW_AGREE, Status.VALID, Status.VALID]
    assert (made.status[0, 4:] == Status.VALID).all()
    assert made.used[0, 2].tolist() == [True, True, False, True]
    assert made.used[0, 3].tolist() == [False, True, True, True]
    valid = made.status[0] == Status.VALID
    np.testing.assert_allclose(made.points[0, valid], joints[0, valid], atol=1)
    assert np.isnan(made.points[0, ~valid]).all()
    assert not made.used[0, ~valid].any()
    assert (np.isfinite(made.uncertainty[0]) == valid).all()


def test_views_without_a_pose_do_not_count():
    joints, (R, t) = people(2), ring(3)
    points_norm, sigma = observed(joints, R, t)
    t = t.copy()
    t[2] = np.nan
    np.testing.assert_allclose(labelled(points_norm, sigma, R, t).points, joints, atol=1e-5)
    t[1] = np.nan
    assert (labelled(points_norm, sigma, R, t).status == Status.NO_RIG).all()


def test_parallel_rays_and_points_behind_a_camera_are_refused():
    R, t = looking_at(np.array([[4500, 0, 1500], [4500, 1.0, 1500]]), np.array([0, 0, 900.0]))
    points_norm, sigma = observed(people(1), R, t)
    assert (labelled(points_norm, sigma, R, t, method="weighted").status == Status.UNDETERMINED).all()
    R, t = ring(2)
    behind = people(1) + R[0][2] * -1e4
    in_camera = np.einsum("vij,fnj->fnvi", R, behind) + t
    points_norm = in_camera[..., :2] / in_camera[..., 2:]
    assert (labelled(points_norm, sigma, R, t, method="weighted").status == Status.BEHIND_CAMERA).all()


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


def test_other_functions_refuse_another_number_of_views():
    points, points_norm, sigma = np.zeros((5, 3)), np.zeros((5, 4, 2)), np.ones((5, 4))
    R, t = np.zeros((3, 3, 3)), np.zeros((3, 3))
    with pytest.raises(ValueError, match=r"residuals: R is of shape \(3, 3, 3\).*points_norm of shape \(5, 4, 2\)"):
        residuals(points, points_norm, R, t)
    with pytest.raises(ValueError, match=r"covariance: R is of shape \(3, 3, 3\).*sigma of shape \(5, 4\)"):
        covariance(points, sigma, R, t)
    with pytest.raises(ValueError, match=r"label: R is of shape \(1, 3, 3, 3\)"):
        label(points_norm[None], sigma[None], sigma[None], R[None], t[None], method="robust", min_views=2)


def test_one_rotation_for_all_and_a_translation_for_each():
    joints, (R, t) = people(3), ring(4)
    points_norm, sigma = observed(joints, R, t)
    np.testing.assert_array_equal(robust(points_norm, sigma, R, np.stack([t] * 3)), robust(points_norm, sigma, R, t))
