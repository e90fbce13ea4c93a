"""The bundle adjustment: its derivatives, its optimum, what it says of its own uncertainty, and focal lengths."""

import numpy as np
import pytest
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from pipeline.geometry.align import align, rig_error
from pipeline.geometry.calibration import bundle, bundle_kernels
from pipeline.geometry.calibration.focal_prior import EXACT, Focal
from pipeline.geometry.calibration.gauge import gauge_basis, rotation_of, units_of
from pipeline.geometry.triangulation.methods import robust
from tests.world.cameras import centers_of, observed, ring
from tests.world.people import people


def scene(n_frames, n_views=4, seed=0, **changes):
    """Rays (N, V, 2) and sigma (N, V) of people before a ring of cameras, and the cameras and points."""
    R, t = ring(n_views)
    joints = people(n_frames, seed=7)
    points_norm, sigma = (x.reshape(-1, n_views, *x.shape[3:]) for x in observed(joints, R, t, seed=seed, **changes))
    return points_norm, sigma, R, t, joints.reshape(-1, 3)


def test_derivatives_are_those_of_the_projection():
    rng = np.random.default_rng(0)
    R, t, X = rotation_of(rng.normal(size=3)), np.array([0.1, -0.2, 4.0]), rng.normal(size=3)
    point_norm, s, focal = np.array([0.3, -0.1]), 50.0, 1.2

    def whitened(step):
        turn = rotation_of(step[:3])
        seen = turn @ (R @ (X + step[7:]) + t) + step[3:6]
        return s * focal * np.exp(step[6]) * seen[:2] / seen[2]

    J, P = np.zeros((2, 8)), np.zeros((2, 3))
    assert bundle_kernels.linearise(point_norm, s, R, t, X, focal, 0.0, J, P)  # of infinite width: the weight is 1
    steps = 1e-6 * np.eye(10)
    numerical = np.stack([(whitened(step) - whitened(-step)) / 2e-6 for step in steps], -1)
    np.testing.assert_allclose(np.hstack([J[:, :7], P]), numerical, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(J[:, 7], s * point_norm - whitened(np.zeros(10)))
    assert not bundle_kernels.linearise(
        point_norm, s, R, np.array([0, 0, -9.0]), X, focal, 0.0, J, P
    )  # behind the camera


@pytest.mark.parametrize("focal", [EXACT, Focal(0.05, 0.02), Focal(np.inf, 0.15)])
def test_reaches_the_least_squares_optimum(focal):
    given = np.array([1.1, 0.95, 1.0])
    points_norm, sigma, R, t, _ = scene(3, n_views=3, noise_px=3)
    start = R.copy()
    start[1:] = rotation_of(np.array([[0.02, 0, 0.01], [0, -0.02, 0.02]])) @ start[1:]
    points = robust(points_norm, sigma, start, t)
    wide = [1e4] * 3  # so wide a robust cost is least squares
    ours = bundle.adjust(
        points_norm, sigma, start, t, points, wide, focal=focal, focal_scale=given if focal.is_open else None, noise=1.0
    )

    def residual(p):
        turned = rotation_of(p[:9].reshape(3, 3)) @ start
        in_camera = np.einsum("vij,nj->nvi", turned, p[22:].reshape(-1, 3)) + p[9:18].reshape(3, 3)
        factor = np.exp(p[18:21]) if focal.is_open else np.ones(3)
        missed = (factor[:, None] * in_camera[..., :2] / in_camera[..., 2:] - points_norm) / sigma[..., None]
        # The shared deviation p[21] is an unknown here.
        prior = np.append((p[18:21] - p[21]) / focal.own_std, p[21] / focal.std) if focal.is_open else np.zeros(4)
        return np.append(missed.ravel(), prior)

    first = np.r_[np.zeros(9), t.ravel(), np.log(given), 0.0, points.ravel()]
    theirs = least_squares(residual, first, x_scale="jac", max_nfev=100)
    in_camera = np.einsum("vij,nj->nvi", ours.R, ours.points) + ours.t
    missed = (ours.focal_scale[:, None] * in_camera[..., :2] / in_camera[..., 2:] - points_norm) / sigma[..., None]
    log_scale = np.log(ours.focal_scale)
    prior = log_scale @ focal.information(3) @ log_scale if focal.is_open else 0.0
    assert ((missed**2).sum() + prior) / 2 == pytest.approx(theirs.cost, rel=1e-3)
    if focal.is_open:
        np.testing.assert_allclose(ours.focal_scale, np.exp(theirs.x[18:21]), atol=3e-3)
    else:
        np.testing.assert_array_equal(ours.focal_scale, 1)


def test_lowers_the_error_of_labels():
    points_norm, sigma, R, t, true = scene(30, noise_px=2)
    start = rotation_of(np.random.default_rng(0).normal(size=(4, 3)) * 0.1) @ R
    points = robust(points_norm, sigma, start, t)
    done = bundle.adjust(points_norm, sigma, start, t, points, bundle.START_WIDTHS)
    before, after = (np.linalg.norm(align(x, true) - true, axis=-1).mean() for x in (points, done.points))
    assert after < 10 < 20 < before
    assert done.noise == pytest.approx(2 / np.median(sigma * 1000), rel=0.2)


def test_exact_data_gives_an_exact_rig():
    points_norm, sigma, R, t, true = scene(10)
    start = rotation_of(np.random.default_rng(0).normal(size=(4, 3)) * 0.05) @ R
    done = bundle.adjust(points_norm, sigma, start, t, robust(points_norm, sigma, start, t), bundle.START_WIDTHS)
    assert rig_error(done.R, centers_of(done.R, done.t), R, centers_of(R, t)) == pytest.approx((0, 0), abs=1e-3)
    np.testing.assert_allclose(align(done.points, true), true, atol=1e-2)


def test_without_stages_nothing_moves():
    points_norm, sigma, R, t, true = scene(5, noise_px=2)
    measured = bundle.adjust(points_norm, sigma, R, t, true, ())
    np.testing.assert_array_equal(measured.R, R)
    np.testing.assert_array_equal(measured.points, true)
    assert (measured.weights > 0.25).mean() > 0.95


def test_points_seen_too_rarely_are_nan():
    points_norm, sigma, R, t, true = scene(5, noise_px=1)
    sigma[0, 1:] = np.inf  # one view alone
    points_norm[1] = np.nan
    points = true.copy()
    points[2] = np.nan
    done = bundle.adjust(points_norm, sigma, R, t, points, bundle.FINAL_WIDTHS)
    assert np.isnan(done.points[:3]).all()
    assert np.isfinite(done.points[3:]).all()
    assert (done.weights[:3] == 0).all()


def free_of_the_world(d, R, t):
    """Steps (V, 6) of the cameras without what moves the world alone."""
    free, units = gauge_basis(R, t), units_of(R, t)
    x = np.linalg.lstsq(free / units[:, None], d.ravel() / units, rcond=None)[0]
    return (d.ravel() - free @ x).reshape(-1, 6)


@pytest.mark.parametrize("focal", [EXACT, Focal(np.inf, 0.05)])
def test_covariance_is_that_of_many_trials(focal):
    """With focal lengths that deviate from those given as the prior says."""
    steps, reported, alike, reported_alike, off, off_std = [], [], [], [], [], []
    for seed in range(80):
        points_norm, sigma, R, t, true = scene(12, seed=seed, noise_px=4)
        sigma = np.full_like(sigma, 4e-3)
        lens = np.exp(focal.own_std * np.random.default_rng([seed, 1]).normal(size=4))
        points_norm = points_norm * lens[:, None]
        done = bundle.adjust(points_norm, sigma, R, t, true, bundle.FINAL_WIDTHS, focal=focal)
        left = bundle.uncertainty(done, points_norm, sigma)
        w = Rotation.from_matrix(done.R @ np.swapaxes(R, -1, -2)).as_rotvec()
        steps.append(free_of_the_world(np.hstack([w, done.t - t - np.cross(w, t)]), R, t))
        reported.append(np.diagonal(left.pose_covariance).reshape(-1, 6))
        off.append(np.log(done.focal_scale / lens))
        off_std.append(left.focal_std)
        # The translation that moves the people's images like the error of the focal length.
        depth = np.median((true @ np.swapaxes(R, -1, -2) + t[:, None])[..., 2], axis=1)
        alike.append(free_of_the_world(steps[-1] - np.outer(depth * off[-1], [0, 0, 0, 0, 0, 1]), R, t))
        free = np.stack([free_of_the_world(step, R, t).ravel() for step in np.eye(24)], -1)
        reported_alike.append(np.diagonal(free @ left.image_covariance @ free.T).reshape(-1, 6))
    for found, stated in ((steps, reported), (alike, reported_alike)):
        ratio = np.sqrt(np.mean(np.square(found), 0) / np.mean(stated, 0))
        assert 0.85 < ratio.mean() < 1.2
        assert 0.6 < ratio.min() < ratio.max() < 1.5
    if focal.is_open:
        assert np.sqrt(np.mean(np.square(off))) == pytest.approx(np.sqrt(np.mean(np.square(off_std))), rel=0.2)
        along_axis = np.array([np.mean(stated, 0)[:, 5] for stated in (reported_alike, reported)])
        assert (along_axis[0] < 0.3 * along_axis[1]).all()
    else:
        np.testing.assert_allclose(reported_alike, reported, rtol=0.05)


def test_repeated_errors_do_not_lower_the_uncertainty():
    points_norm, sigma, R, t, true = scene(20, noise_px=3)
    once = bundle.adjust(points_norm, sigma, R, t, true, bundle.FINAL_WIDTHS)
    frame, joint = np.repeat(np.arange(20), 17), np.tile(np.arange(17), 20)
    single = bundle.uncertainty(once, points_norm, sigma, [frame, joint])
    assert single.variance_inflation < 1.6
    again = [np.concatenate([x] * 5) for x in (points_norm, sigma, true, frame, joint)]
    many = bundle.adjust(again[0], again[1], R, t, again[2], bundle.FINAL_WIDTHS)
    reported = bundle.uncertainty(many, again[0], again[1], again[3:])
    assert reported.variance_inflation == pytest.approx(5, rel=0.3)
    of_views = [np.diagonal(one.pose_covariance).reshape(-1, 6).sum(-1) for one in (reported, single)]
    np.testing.assert_allclose(*of_views, rtol=0.5)


def test_the_prior_keeps_a_focal_length_that_few_joints_do_not_determine():
    points_norm, sigma, R, t, true = scene(1, noise_px=5)
    free, held = (
        bundle.adjust(points_norm, sigma, R, t, true, bundle.FINAL_WIDTHS, focal=focal).focal_scale
        for focal in (Focal(np.inf, 1.0), Focal(0.02, 0.01))
    )
    assert np.abs(held - 1).max() < 0.04
    assert np.abs(held - 1).max() < np.abs(free - 1).max()
