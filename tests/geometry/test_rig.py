"""Finding rigs: exact scenes, noise, views in any order, and set-ups that must be refused."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from pipeline.geometry import bundle
from pipeline.geometry.align import align, rig_error
from pipeline.geometry.rig import find_rig
from pipeline.geometry.rig_per_frame import find_rigs
from pipeline.geometry.rig_start import RigNotFound
from pipeline.geometry.spread import evenly, spread_frames
from pipeline.geometry.triangulation import robust
from tests.geometry.scene import centers_of, looking_at, observed, people, ring


def error_deg_mm(rig, R, t):
    return rig_error(rig.R, centers_of(rig.R, rig.t), R, centers_of(R, t))


@pytest.mark.parametrize("n_views", [2, 3, 5])
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


def test_order_of_views_changes_nothing():
    R, t = ring(4)
    rays, sigma = observed(people(30), R, t, noise_px=3)
    one = find_rig(rays, sigma, seed=1)
    order = [2, 0, 3, 1]
    other = find_rig(rays[:, :, order], sigma[:, :, order], seed=1)
    C = centers_of(one.R, one.t)[order]
    assert rig_error(other.R, centers_of(other.R, other.t), one.R[order], C)[0] < 0.05
    again = find_rig(rays, sigma, seed=1)
    np.testing.assert_array_equal(again.R, one.R)


def test_a_view_out_of_step_is_left_out():
    R, t = ring(4)
    rays, sigma = observed(people(30), R, t, noise_px=2)
    rays[:, :, 2] = np.roll(rays[:, :, 2], 7, axis=0)
    rig = find_rig(rays, sigma, seed=1)
    assert np.isnan(rig.t[:, 0]).tolist() == [False, False, True, False]
    assert error_deg_mm(rig, R, t)[0] < 0.5


def refused(rays, sigma):
    with pytest.raises(RigNotFound) as refusal:
        find_rig(rays, sigma, seed=1)
    return str(refusal.value)


def test_refuses_what_cannot_be_told():
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
    rays, sigma = observed(joints, R, t)
    assert "share" in refused(rays, np.where(np.arange(3) == 0, sigma, np.inf))
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, rays.shape)
    assert refused(noise, sigma)


def test_frame_by_frame():
    R, t = ring(4)
    rays, sigma = observed(people(6), R, t)
    sigma[4, :, 1:] = np.inf  # one view alone
    rigs = find_rigs(rays, sigma, seed=1)
    assert isinstance(rigs[4], str)
    good = [rig for rig in rigs if not isinstance(rig, str)]
    assert len(good) == 5
    for rig in good:
        np.testing.assert_allclose(error_deg_mm(rig, R, t), 0, atol=1e-2)


def test_adjustment_reaches_the_least_squares_optimum():
    R, t = ring(3)
    rays, sigma = (x.reshape(-1, 3, *x.shape[3:]) for x in observed(people(2), R, t, noise_px=3))
    start = R.copy()
    start[1:] = bundle.rotation_of(np.array([[0.02, 0, 0.01], [0, -0.02, 0.02]])) @ start[1:]
    points = robust(rays, sigma, start, t)
    wide = 1e4  # so wide a robust cost is least squares
    ours = bundle.adjust(rays, sigma, start, t, points, [wide] * 3)

    def residual(p):
        turned = bundle.rotation_of(p[:9].reshape(3, 3)) @ start
        in_camera = np.einsum("vij,nj->nvi", turned, p[18:].reshape(-1, 3)) + p[9:18].reshape(3, 3)
        return ((in_camera[..., :2] / in_camera[..., 2:] - rays) / sigma[..., None]).ravel()

    theirs = least_squares(residual, np.r_[np.zeros(9), t.ravel(), points.ravel()], x_scale="jac", max_nfev=60)
    in_camera = np.einsum("vij,nj->nvi", ours.R, ours.points) + ours.t
    cost = (((in_camera[..., :2] / in_camera[..., 2:] - rays) / sigma[..., None]) ** 2).sum() / 2
    assert cost == pytest.approx(theirs.cost, rel=1e-3)


def test_adjustment_lowers_the_error_of_labels():
    R, t = ring(4)
    joints = people(30)
    rays, sigma = (x.reshape(-1, 4, *x.shape[3:]) for x in observed(joints, R, t, noise_px=2))
    start = bundle.rotation_of(np.random.default_rng(0).normal(size=(4, 3)) * 0.1) @ R
    points = robust(rays, sigma, start, t)
    done = bundle.adjust(rays, sigma, start, t, points, bundle.START_WIDTHS)
    true = joints.reshape(-1, 3)
    before, after = (np.linalg.norm(align(x, true) - true, axis=-1).mean() for x in (points, done.points))
    assert after < 10 < 20 < before


def test_spread_frames_prefers_what_differs():
    rays, sigma = observed(np.concatenate([np.repeat(people(1), 50, 0), people(5, seed=1)]), *ring(2))
    order, n_distinct = spread_frames(rays, sigma, 6)
    assert n_distinct == 6
    assert set(range(50, 55)) < set(order.tolist())
    assert evenly(10, 3).tolist() == [0, 4, 9]
    assert evenly(0, 3).tolist() == []
