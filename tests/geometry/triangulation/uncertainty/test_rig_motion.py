"""Points and projections move with the cameras as re-triangulated ones do."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.geometry.triangulation.methods import linear
from pipeline.geometry.triangulation.uncertainty.rig_motion import (
    motion_of_points,
    motion_of_projections,
    pose_root,
    rig_covariance,
)
from tests.geometry.triangulation.uncertainty.scenes import scene


def moved_rig(R, t, pose):
    """The rig with every camera's pose off by its (rotation vector, translation), pose (6 V,)."""
    w, d = pose.reshape(-1, 6)[:, :3], pose.reshape(-1, 6)[:, 3:]
    turn = Rotation.from_rotvec(w).as_matrix()
    return turn @ R, np.einsum("vij,gvj->gvi", turn, t) + d


def project(points, R, t, view):
    in_camera = points @ R[0, view].T + t[0, view]
    return in_camera[..., :2] / in_camera[..., 2:]


def test_points_and_projections_move_as_in_a_moved_rig():
    here = scene(3, noise=0.0)
    rng = np.random.default_rng(0)
    pose = 1e-5 * rng.normal(size=24) * np.tile([1, 1, 1, 4000, 4000, 4000], 4)
    R, t = moved_rig(here.R, here.t, pose)
    after = linear(here.points_norm, here.sigma, R, t)
    motion = motion_of_points(here.joints, here.sigma, here.R, here.t, pose[:, None])
    shift = after - here.joints
    assert np.linalg.norm(shift, axis=-1).min() > 0.01
    np.testing.assert_allclose(motion[..., 0], shift, atol=0.03 * np.abs(shift).max())
    seen = motion_of_projections(here.joints, motion, 2, here.R, here.t, pose[:, None])
    expected = project(after, R, t, 2) - project(here.joints, here.R, here.t, 2)
    np.testing.assert_allclose(seen[..., 0], expected, atol=0.03 * np.abs(expected).max())


def test_views_that_were_not_used_do_not_move_a_point():
    here = scene(2, noise=0.0)
    root = np.zeros((24, 3))
    root[18:21] = 0.01 * np.eye(3)
    left_out = np.where(np.arange(4) == 3, np.inf, here.sigma)
    assert np.abs(motion_of_points(here.joints, here.sigma, here.R, here.t, root)).max() > 1
    assert (motion_of_points(here.joints, left_out, here.R, here.t, root) == 0).all()


def test_the_covariance_is_that_of_many_moved_rigs():
    here = scene(2, noise=0.0)
    rng = np.random.default_rng(1)
    A = 1e-4 * rng.normal(size=(24, 24)) * np.tile([1, 1, 1, 4000, 4000, 4000], 4)[:, None]
    root = pose_root(A @ A.T)
    np.testing.assert_allclose(root @ root.T, A @ A.T, atol=1e-9 * np.abs(A @ A.T).max())
    found = rig_covariance(here.joints, here.sigma, here.R, here.t, root)
    moved = [linear(here.points_norm, here.sigma, *moved_rig(here.R, here.t, A @ rng.normal(size=24)))
             for _ in range(400)]  # fmt: skip
    spread = np.var(moved, axis=0).sum(-1)
    np.testing.assert_allclose(np.trace(found, axis1=-2, axis2=-1).mean(), spread.mean(), rtol=0.1)


def test_unknown_covariances_and_missing_points_are_no_motion():
    here = scene(2, noise=0.0)
    unknown = np.full((24, 24), np.nan)
    assert pose_root(unknown).shape == (24, 0)
    joints = here.joints.copy()
    joints[0, 3] = np.nan
    root = 0.01 * np.eye(24)
    assert (rig_covariance(joints, here.sigma, here.R, here.t, pose_root(unknown)) == 0).all()
    assert np.isfinite(rig_covariance(joints, here.sigma, here.R, here.t, root)).all()


def test_shapes_that_do_not_fit_are_refused():
    here = scene(2)
    with pytest.raises(ValueError, match="motion_of_points"):
        motion_of_points(here.joints, here.sigma[:, :5], here.R, here.t, np.zeros((24, 2)))
