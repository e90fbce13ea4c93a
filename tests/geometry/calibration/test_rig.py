"""Finding rigs: exact scenes, noise, views in any order, and set-ups that must be refused."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.geometry.align import rig_error, rig_similarity, rotation_angle
from pipeline.geometry.calibration.focal_prior import Focal
from pipeline.geometry.calibration.gauge import gauge_basis, units_of
from pipeline.geometry.calibration.initial_rig import RigNotFound
from pipeline.geometry.calibration.rig import adjust_extrinsics, find_rig, measure_rig
from tests.world.cameras import centers_of, error_deg_mm, extrinsics_error_deg_mm, looking_at, observed, ring
from tests.world.people import people


@pytest.mark.parametrize("n_views", [2, 3, 5, 9])
def test_exact_scene_exact_rig(n_views):
    R, t = ring(n_views, spread=0.7)
    rig = find_rig(*observed(people(20), R, t, outliers=0.05), seed=1)
    np.testing.assert_allclose(error_deg_mm(rig, R, t), 0, atol=1e-3)
    np.testing.assert_allclose(rig.R[0], np.eye(3), atol=1e-9)  # the first camera's frame is the world
    np.testing.assert_allclose(rig.t[0], 0, atol=1e-9)


def test_real_noise_and_outliers():
    R, t = ring(4)
    errors, claimed = [], []
    for seed in range(3):
        rig = find_rig(*observed(people(60, seed), R, t, noise_px=5, outliers=0.05, seed=seed), seed=1)
        errors.append(error_deg_mm(rig, R, t)[0])
        claimed.append(np.mean(rig.rotation_std_deg))
    assert max(errors) < 0.4
    # The uncertainty it claims is of the size of the error it makes.
    assert 0.3 < np.mean(claimed) / np.mean(errors) < 4


def test_the_covariance_of_the_centres_has_the_direction_of_their_errors():
    """Against how far the centres of twelve rigs lie off, along each axis of their ellipsoids."""
    R, t = ring(4)
    off, reported = [], []
    for seed in range(12):
        rig = find_rig(*observed(people(15, seed), R, t, noise_px=5, seed=seed), seed=1).in_world_of(R, t)
        variances, axes = np.linalg.eigh(rig.center_covariance_in_world)
        off.append(np.einsum("vi,vij->vj", rig.centers - centers_of(R, t), axes))
        reported.append(variances)
    ratio = np.sqrt(np.mean(np.square(off), axis=(0, 1)) / np.mean(reported, axis=(0, 1)))
    assert ((ratio > 0.6) & (ratio < 1.6)).all()


def test_the_covariance_of_the_centres_rotates_with_the_world():
    R, t = ring(3)
    rig = find_rig(*observed(people(15), R, t, noise_px=5), seed=1)
    Q = Rotation.from_rotvec([0.3, -1, 0.5]).as_matrix()
    moved = rig.scaled(1000.0).in_axes(Q, np.array([1.0, 2, 3]))
    expected = 1e6 * Q.T @ rig.center_covariance_in_world @ Q
    np.testing.assert_allclose(moved.center_covariance_in_world, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(moved.center_std, np.sqrt(np.trace(expected, axis1=1, axis2=2)))


def test_the_covariance_of_all_poses_is_free_of_the_gauge_and_leaves_out_views_without_extrinsics():
    R, t = ring(4)
    points_norm, sigma = observed(people(30), R, t, noise_px=2)
    sigma[:, :, 1] = np.inf
    rig = find_rig(points_norm, sigma, seed=1).scaled(1000.0).in_axes(R[0], np.array([10.0, 20, 30]))
    known = np.repeat(rig.has_extrinsics, 6)
    assert np.isnan(rig.pose_covariance[~known]).all()
    assert np.isnan(rig.pose_covariance[:, ~known]).all()
    covariance, views = rig.pose_covariance[np.ix_(known, known)], rig.has_extrinsics
    of_views = np.einsum("vivj->vij", covariance.reshape(3, 6, 3, 6))
    np.testing.assert_allclose(of_views[:, 3:, 3:], rig.center_covariance[views], rtol=1e-9)
    rotation_std_deg = np.degrees(np.sqrt(np.trace(of_views[:, :3, :3], axis1=1, axis2=2)))
    np.testing.assert_allclose(rotation_std_deg, rig.rotation_std_deg[views], rtol=1e-9)
    # Steps that only move the world have no variance, also after a change of the world's unit and axes.
    units = units_of(rig.R[views], rig.t[views])
    free = gauge_basis(rig.R[views], rig.t[views]) / units[:, None]
    np.testing.assert_allclose((covariance / units / units[:, None]) @ free, 0, atol=1e-9 * np.abs(free).max())
    assert np.linalg.matrix_rank(covariance / units / units[:, None], tol=1e-12) == 6 * 3 - 7


def test_order_of_views_changes_nothing():
    R, t = ring(4)
    points_norm, sigma = observed(people(30), R, t, noise_px=3)
    one = find_rig(points_norm, sigma, seed=1)
    order = [2, 0, 3, 1]
    other = find_rig(points_norm[:, :, order], sigma[:, :, order], seed=1)
    C = centers_of(one.R, one.t)[order]
    assert rig_error(other.R, centers_of(other.R, other.t), one.R[order], C)[0] < 0.05
    again = find_rig(points_norm, sigma, seed=1)
    np.testing.assert_array_equal(again.R, one.R)


def spoiled(how, n_views=4):
    """People seen by cameras of which the last is late, moved, of another take, or has a failing detector."""
    R, t = ring(n_views, spread=0.7)
    points_norm, sigma = observed(people(60), R, t, noise_px=4)
    last, rng = points_norm[:, :, -1], np.random.default_rng(0)
    if how == "late":
        last[:] = np.roll(last, 7, axis=0)
    elif how == "moved":
        last[30:, :, 0] += np.tan(np.radians(10.0))
    elif how == "of another take":
        last[:] = last[rng.permutation(60)]
    elif how == "failing":
        last += 8 * sigma[:, :, -1, None] * rng.normal(size=last.shape)
    return points_norm, sigma, R, t


@pytest.mark.parametrize("how", ["late", "moved", "of another take", "failing"])
def test_a_view_that_contradicts_three_others_is_left_out(how):
    points_norm, sigma, R, t = spoiled(how)
    rig = find_rig(points_norm, sigma, seed=1)
    assert rig.has_extrinsics.tolist() == [True, True, True, False]
    assert "times the usual error" in rig.left_out[3]
    assert extrinsics_error_deg_mm(rig.R[:3], rig.t[:3], R[:3], t[:3])[0] < 0.5


def test_of_three_views_that_contradict_each_other_none_is_left_out():
    points_norm, sigma, *_ = spoiled("of another take", 3)
    assert "contradict each other" in refused(points_norm, sigma)


def test_residuals_are_judged_by_a_usable_detector_and_not_by_their_own_scatter():
    R, t = ring(4)
    shares = []
    for noise_in_sigmas in (0.5, 2.0):
        points_norm, sigma = observed(people(60), R, t)
        points_norm += noise_in_sigmas * sigma[..., None] * np.random.default_rng(1).normal(size=points_norm.shape)
        rig = find_rig(points_norm, sigma, seed=1)
        np.testing.assert_allclose(rig.view_noise, noise_in_sigmas, rtol=0.15)
        shares.append(rig.inlier_share.mean())
    assert shares[0] > 0.99
    assert 0.6 < shares[1] < 0.9
    points_norm, sigma = observed(people(60), R, t)
    poor = points_norm + 4 * sigma[..., None] * np.random.default_rng(1).normal(size=points_norm.shape)
    assert "times the error of a usable detector" in refused(poor, sigma)


def linked(how, seed=0):
    """Detections of four views; the last one is linked to the others by little."""
    R, t = ring(4)
    points_norm, sigma = observed(people(120, seed), R, t, noise_px=5, seed=seed)
    frame, mark = np.arange(120)[:, None], np.arange(17)
    seen = {
        "one frame": (frame < 1) & (mark < 8), "few frames": (frame >= 40) & (frame < 52), "few landmarks": mark < 5,
        "one other view": (frame >= 0) | (mark < 0),
    }[how]  # fmt: skip
    sigma[:, :, 3] = np.where(seen, sigma[:, :, 3], np.inf)
    if how == "one other view":
        sigma[:60, :, 1:3] = sigma[60:, :, 3] = np.inf
    return points_norm, sigma, R, t


@pytest.mark.parametrize("how", ["one frame", "one other view"])
def test_a_view_that_shares_too_little_is_left_out_and_the_others_are_calibrated(how):
    points_norm, sigma, R, t = linked(how)
    rig = find_rig(points_norm, sigma, seed=1)
    assert rig.has_extrinsics.tolist() == [True, True, True, False]
    assert "joints" in rig.left_out[3]
    assert extrinsics_error_deg_mm(rig.R[:3], rig.t[:3], R[:3], t[:3])[0] < 0.5


@pytest.mark.parametrize("how", ["few frames", "few landmarks"])
def test_a_view_that_shares_little_is_as_uncertain_as_it_is_wrong(how):
    """Over eight takes; against the same view where it sees all."""
    ratios, stds = [], []
    for seed in range(8):
        points_norm, sigma, R, t = linked(how, seed)
        rig = find_rig(points_norm, sigma, seed=1)
        _, Q, _ = rig_similarity(rig.R, rig.centers, R, centers_of(R, t))
        error = np.degrees(rotation_angle(rig.R[3] @ Q.T @ R[3].T))
        ratios.append(error / rig.rotation_std_deg[3])
        stds.append(rig.rotation_std_deg[3])
    assert 0.3 < np.mean(np.square(ratios)) < 2
    assert np.mean(stds) > 1.3 * find_rig(*observed(people(120), *ring(4), noise_px=5), seed=1).rotation_std_deg[3]


def refused(points_norm, sigma):
    with pytest.raises(RigNotFound) as refusal:
        find_rig(points_norm, sigma, seed=1)
    return str(refusal.value)


def test_refuses_degenerate_scenes():
    R, t = ring(3)
    joints = people(30)
    one_place, _ = looking_at(
        np.tile([4500.0, 0, 1500], (3, 1)), np.array([[0, 0, 900.0], [300, 900, 900], [0, -900, 500]])
    )
    t_one = -one_place @ np.array([4500.0, 0, 1500])
    assert "one place" in refused(*observed(joints, one_place, t_one, noise_px=3))
    flat = joints * [0.0, 1, 1]
    assert "one plane" in refused(*observed(flat, R, t))
    still = np.repeat(joints[:1], 30, 0)
    assert "distinct pose" in refused(*observed(still, R, t, noise_px=3))
    points_norm, sigma = observed(joints, R, t)
    assert "share" in refused(points_norm, np.where(np.arange(3) == 0, sigma, np.inf))
    assert "distinct pose" in refused(np.full_like(points_norm, np.nan), sigma)
    assert "distinct pose" in refused(points_norm[:0], sigma[:0])
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, points_norm.shape)
    assert refused(noise, sigma)


def test_refuses_two_views_of_the_same_direction():
    centers = np.array([[4500.0, 0, 1500], [4500, 60, 1500]])
    R, t = looking_at(centers, np.array([0, 0, 900.0]))
    assert "differ enough" in refused(*observed(people(30), R, t, noise_px=1))


def test_a_person_on_one_spot_is_refused_or_has_the_right_uncertainty():
    R, t = ring(4)
    joints = people(40, swing=0.03, area_mm=20.0)
    try:
        rig = find_rig(*observed(joints, R, t, noise_px=5), seed=1)
    except RigNotFound:
        return
    assert error_deg_mm(rig, R, t)[0] < 4 * rig.rotation_std_deg.mean()


def test_a_view_with_too_few_joints_does_not_spoil_the_others():
    R, t = ring(4)
    points_norm, sigma = observed(people(30), R, t, noise_px=2)
    sigma[2:, :, 3] = sigma[:2, 3:, 3] = np.inf  # six joints in all
    rig = find_rig(points_norm, sigma, seed=1)
    assert rig.has_extrinsics[:3].all()
    assert extrinsics_error_deg_mm(rig.R[:3], rig.t[:3], R[:3], t[:3])[0] < 0.4


def turned(R, deg):
    return Rotation.from_rotvec(np.radians(deg) * np.eye(4, 3)).as_matrix() @ R


def test_adjusted_extrinsics_keep_the_world():
    R, t = ring(4)
    points_norm, sigma = observed(people(40), R, t, noise_px=2, outliers=0.05)
    off = turned(R, 2.0)
    rig, moved_deg = adjust_extrinsics(points_norm, sigma, off, t, seed=1)
    assert error_deg_mm(rig, R, t)[0] < 0.2 < extrinsics_error_deg_mm(off, t, R, t)[0]
    assert 1 < moved_deg < 4
    assert rig.epipolar < rig.epipolar_start
    # Of all worlds the one nearest to that given.
    scale, Q, shift = rig_similarity(rig.R, rig.centers, off, centers_of(off, t))
    assert scale == pytest.approx(1, abs=1e-9)
    np.testing.assert_allclose(Q, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(shift, 0, atol=1e-6)


def test_views_without_extrinsics_are_registered():
    R, t = ring(4)
    points_norm, sigma = observed(people(40), R, t, noise_px=2)
    R_given, t_given = R.copy(), t.copy()
    R_given[2], t_given[2] = np.nan, np.nan
    rig, _ = adjust_extrinsics(points_norm, sigma, R_given, t_given, seed=1)
    assert rig.has_extrinsics.all()
    np.testing.assert_allclose(rig.R, R, atol=0.01)
    np.testing.assert_allclose(rig.centers, centers_of(R, t), atol=40)


def test_a_view_with_extrinsics_that_shows_nobody_does_not_spoil_the_adjustment():
    R, t = ring(4)
    points_norm, sigma = observed(people(40), R, t, noise_px=2)
    sigma[:, :, 0] = np.inf
    rig, moved_deg = adjust_extrinsics(points_norm, sigma, R, t, seed=1)
    assert rig.has_extrinsics.tolist() == [False, True, True, True]
    assert moved_deg < 1
    np.testing.assert_allclose(rig.centers[1:], centers_of(R, t)[1:], atol=40)
    sigma[:, :, 1:3] = np.inf
    with pytest.raises(RigNotFound, match=r"only 1 view\(s\) show people"):
        adjust_extrinsics(points_norm, sigma, R, t, seed=1)


def test_wrong_extrinsics_are_refused():
    R, t = ring(4)
    points_norm, sigma = observed(people(30), R, t, noise_px=2)
    with pytest.raises(RigNotFound, match=r"contradict each other"):
        adjust_extrinsics(points_norm, sigma, R[[1, 0, 3, 2]], t[[1, 0, 3, 2]], seed=1)


@pytest.mark.parametrize(
    ("focal", "wrong"),
    [
        (Focal(0.05, 0.03), [1.1] * 4),
        (Focal(0.05, 0.03), [1.1, 1.05, 1.0, 1.08]),
        (Focal(np.inf, 0.15), [2.0] * 4),
        (Focal(np.inf, 0.15), [1.0, 1.4, 1.0, 1.4]),
    ],
)
def test_finds_the_focal_length_of_each_camera(focal, wrong):
    R, t = ring(4)
    wrong = np.array(wrong)
    points_norm, sigma = observed(people(80), R, t, noise_px=2, outliers=0.05)
    rig = find_rig(points_norm / wrong[:, None], sigma / wrong, seed=1, focal=focal)
    off = rig.focal_scale * wrong - 1
    np.testing.assert_allclose(off, 0, atol=0.02)
    assert (np.abs(off) < 3.5 * rig.focal_std).all()
    assert (rig.focal_std < 0.02).all()
    assert error_deg_mm(rig, R, t)[0] < 0.3


def test_a_view_that_is_left_out_has_the_mean_focal_length_of_the_others():
    points_norm, sigma, _, _ = spoiled("late")
    rig = find_rig(points_norm / 1.2, sigma / 1.2, seed=1, focal=Focal(np.inf, 0.15))
    assert list(rig.left_out) == [3]
    assert rig.focal_scale[3] == pytest.approx(rig.focal_scale[:3].mean())
    assert np.isnan(rig.focal_std[3])
    assert np.isfinite(rig.focal_std[:3]).all()


def test_the_epipolar_error_before_and_after_adjustment():
    R, t = ring(4)
    rig = find_rig(*observed(people(40), R, t, noise_px=4), seed=1)
    assert 0.5 * 4e-3 < rig.epipolar <= 1.02 * rig.epipolar_start < 4 * 4e-3


def test_what_does_not_fit_is_refused():
    points_norm, sigma = observed(people(3), *ring(4))
    R, t = ring(3)
    with pytest.raises(ValueError, match=r"find_rig: sigma is of shape \(3, 17, 3\)"):
        find_rig(points_norm, sigma[..., :3], seed=1)
    for function in (adjust_extrinsics, measure_rig):
        with pytest.raises(ValueError, match=r"R is of shape \(3, 3, 3\).*points_norm of shape \(3, 17, 4, 2\)"):
            function(points_norm, sigma, R, t)
    points_norm[0, 0, 0, 0] = np.inf
    with pytest.raises(ValueError, match="find_rig: points_norm has 1 infinite values"):
        find_rig(points_norm, sigma, seed=1)


def test_landmarks_that_are_poor_in_a_view_do_not_spoil_the_rig():
    """Against the same joints with equal noise in all views of the poor ones; each landmark's residual is stated."""
    R, t = ring(4)
    errors = []
    for seed in range(4):
        points_norm, sigma = observed(people(60, seed), R, t, noise_px=2, seed=seed)
        poor = np.random.default_rng(seed).normal(size=(60, 6, 2, 2)) * 12e-3
        points_norm[:, 3:9, 1:3] += poor
        rig = find_rig(points_norm, sigma, seed=1)
        errors.append(error_deg_mm(rig, R, t)[0])
        assert rig.landmark_residual.shape == (17, 4)
        assert rig.landmark_residual[3:9, 1:3].min() > 2 * np.median(rig.landmark_residual[9:])
    assert np.mean(errors) < 0.16
