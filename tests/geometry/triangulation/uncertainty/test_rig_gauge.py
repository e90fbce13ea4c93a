"""A rig's covariance relative to points lacks what moves all points alike, and nothing else."""

import numpy as np
import pytest

from pipeline.geometry.align import similarity
from pipeline.geometry.calibration.gauge import gauge_basis
from pipeline.geometry.triangulation.uncertainty.rig_gauge import relative_to_points
from pipeline.geometry.triangulation.uncertainty.rig_motion import motion_of_points, motion_of_projections
from tests.geometry.triangulation.uncertainty.scenes import scene

POSE_STD = 1e-4 * np.tile([1, 1, 1, 4000, 4000, 4000], 4)


def relative(here, root, *, scale=True):
    return relative_to_points(root, here.joints, here.sigma, here.R, here.t, scale=scale)


def motion(here, root):
    return motion_of_points(here.joints, here.sigma, here.R, here.t, root)


def test_a_step_of_the_whole_world_is_nothing():
    here = scene(5, noise=0.0)
    world = gauge_basis(here.R[0], here.t[0])
    assert np.abs(motion(here, world)).max(axis=(0, 1, 2)).min() > 0.9
    np.testing.assert_allclose(motion(here, relative(here, world)), 0, atol=1e-6)


@pytest.mark.parametrize("scale", [True, False])
def test_points_move_as_they_do_after_an_alignment(scale):
    here = scene(5, noise=0.0)
    root = (POSE_STD * np.random.default_rng(0).normal(size=24))[:, None]
    before, after = motion(here, root)[..., 0], motion(here, relative(here, root, scale=scale))[..., 0]
    moved = (here.joints + before).reshape(-1, 3)
    factor, R, t = similarity(moved, here.joints.reshape(-1, 3), scale=scale)
    aligned = (factor * moved @ R.T + t).reshape(here.joints.shape)
    np.testing.assert_allclose(after, aligned - here.joints, atol=0.02 * np.abs(before).max())
    assert 0.01 < np.linalg.norm(after) / np.linalg.norm(before) < 0.9


def test_the_scale_is_kept_where_the_cameras_fix_it():
    here = scene(5, noise=0.0)
    scaling = gauge_basis(here.R[0], here.t[0])[:, 6:]
    kept = motion(here, relative(here, scaling, scale=False))[..., 0]
    centred = (here.joints - here.joints.mean((0, 1))).ravel()
    assert np.corrcoef(kept.ravel(), centred)[0, 1] > 0.99


def test_projections_move_as_before():
    here = scene(3, noise=0.0)
    root = np.diag(POSE_STD)

    def seen(of):
        return motion_of_projections(here.joints, motion(here, of), 1, here.R, here.t, of)

    np.testing.assert_allclose(seen(relative(here, root)), seen(root), atol=1e-9)


def test_views_without_a_pose_and_missing_points_change_nothing():
    here = scene(5, noise=0.0)
    root = np.diag(POSE_STD)
    root[18:] = 0.0
    R, t, sigma, joints = here.R.copy(), here.t.copy(), here.sigma, here.joints.copy()
    R[:, 3], t[:, 3], sigma[:, :, 3], joints[0] = np.nan, np.nan, np.inf, np.nan
    found = relative_to_points(root, joints, sigma, R, t, scale=True)
    three = relative_to_points(root[:18], joints[1:], sigma[1:, :, :3], R[:, :3], t[:, :3], scale=True)
    assert (found[18:] == 0).all()
    np.testing.assert_allclose(found[:18], three, atol=0.02 * np.abs(three).max())


def test_without_points_the_covariance_stays():
    here = scene(2, noise=0.0)
    nothing = np.full(here.joints.shape, np.nan)
    root = np.diag(POSE_STD)
    found = relative_to_points(root, nothing, here.sigma, here.R, here.t, scale=True)
    np.testing.assert_array_equal(found, root)
    assert relative(here, np.zeros((24, 0))).shape == (24, 0)


def test_shapes_that_do_not_fit_are_refused():
    here = scene(2)
    with pytest.raises(ValueError, match="relative_to_points"):
        relative_to_points(np.zeros((24, 2)), here.joints, here.sigma[:, :5], here.R, here.t, scale=True)
