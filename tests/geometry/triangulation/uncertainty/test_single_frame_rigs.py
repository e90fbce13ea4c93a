"""The stated covariance of points is that of many frames, each with a rig adjusted to its own image points."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from pipeline.geometry.align import align
from pipeline.geometry.triangulation.methods import linear
from pipeline.geometry.triangulation.uncertainty.single_frame_rigs import covariance_of_frame_rigs
from tests.geometry.triangulation.uncertainty.scenes import SIGMA, Scene, scene
from tests.geometry.triangulation.uncertainty.test_rig_motion import moved_rig

STD = np.full((1, 4), 0.02)


def stated(here: Scene, std: np.ndarray, sigma: np.ndarray | None = None) -> np.ndarray:
    F = len(here.joints)
    R, t = (np.repeat(values, F, 0) for values in (here.R, here.t))
    return covariance_of_frame_rigs(
        here.joints, here.sigma if sigma is None else sigma, R, t, np.broadcast_to(std, (F, here.R.shape[1]))
    )


def adjusted(here: Scene, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rig that fits the image points x (1, J, V, 2) of one frame best, from the true one on."""

    def residuals(pose):
        R, t = moved_rig(here.R, here.t, pose)
        in_camera = np.einsum("vij,nj->nvi", R[0], linear(x, here.sigma[:1], R, t)[0]) + t[0]
        return (in_camera[..., :2] / in_camera[..., 2:] - x[0]).ravel() / SIGMA

    units = np.tile([1, 1, 1, 4000.0, 4000.0, 4000.0], here.R.shape[1])
    return moved_rig(here.R, here.t, least_squares(residuals, np.zeros(len(units)), x_scale=units, max_nfev=5).x)


def test_points_scatter_as_stated_when_rigs_are_found_from_their_own_frame():
    exact, rng = scene(1, 3, noise=0.0), np.random.default_rng(0)
    turns, moved = [], []
    for _ in range(25):
        x = exact.points_norm + 0.2 * SIGMA * rng.normal(size=exact.points_norm.shape)
        R, t = adjusted(exact, x)
        with_true_rig = linear(x, exact.sigma, exact.R, exact.t)
        moved.append((align(linear(x, exact.sigma, R, t), with_true_rig) - with_true_rig)[0])
        # The part of the rotations that differs between the views.
        turn = R[0] @ np.swapaxes(exact.R[0], -1, -2)
        turns.append(np.stack([turn[:, 2, 1], turn[:, 0, 2], turn[:, 1, 0]], -1))
    in_world = np.einsum("vji,kvj->kvi", exact.R[0], np.array(turns))
    std = np.sqrt(((in_world - in_world.mean(1, keepdims=True)) ** 2).sum(-1).mean(0))
    by_rig, found = np.var(moved, axis=0).sum(-1), np.trace(stated(exact, std[None])[0], axis1=-2, axis2=-1)
    assert np.sqrt(found.mean() / by_rig.mean()) == pytest.approx(1, abs=0.3)
    assert np.corrcoef(found, by_rig)[0, 1] > 0.5


def test_twice_the_deviation_is_four_times_the_covariance():
    here = scene(4, noise=0.0)
    once, twice = stated(here, STD), stated(here, 2 * STD)
    assert (np.trace(once, axis1=-2, axis2=-1) > 0.1).all()
    np.testing.assert_allclose(twice, 4 * once, rtol=1e-6)


def test_the_unit_of_length_does_not_matter():
    here = scene(2, noise=0.0)
    small = Scene(here.joints / 1000, here.points_norm, here.R, here.t / 1000)
    np.testing.assert_allclose(stated(small, STD), stated(here, STD) / 1e6, rtol=1e-4, atol=1e-6)


def test_a_view_without_a_pose_counts_as_absent():
    here, three = scene(3, noise=0.0), scene(3, noise=0.0)
    three = Scene(here.joints, here.points_norm[:, :, :3], here.R[:, :3], here.t[:, :3])
    without = Scene(here.joints, here.points_norm, here.R.copy(), here.t.copy())
    without.R[:, 3], without.t[:, 3] = np.nan, np.nan
    sigma = here.sigma
    sigma[:, :, 3] = np.inf
    np.testing.assert_allclose(stated(without, STD, sigma), stated(three, STD[:, :3]), rtol=1e-5)


def test_what_is_not_known_moves_nothing():
    here = scene(3, noise=0.0)
    assert (stated(here, np.full((1, 4), np.nan)) == 0).all()
    here.joints[0, 3], here.joints[1] = np.nan, np.nan
    found = stated(here, STD)
    assert (found[0, 3] == 0).all()
    assert (found[1] == 0).all()
    assert (np.trace(found[2], axis1=-2, axis2=-1) > 0).all()


def test_shapes_that_do_not_fit_are_refused():
    here = scene(2)
    with pytest.raises(ValueError, match="covariance_of_frame_rigs"):
        stated(here, STD, here.sigma[:, :5])
