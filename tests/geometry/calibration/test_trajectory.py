"""Cameras between knots: where they are, and the solution of the system that ties neighbouring knots."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from pipeline.geometry.calibration import trajectory
from pipeline.geometry.calibration.trajectory import Trajectory
from tests.world.cameras import centers_of, ring

RNG = np.random.default_rng(0)


def some_trajectory(n_knots=4):
    R0, t0 = ring(3)
    turn = Rotation.from_rotvec(RNG.normal(size=(n_knots * 3, 3)) * 0.05).as_matrix().reshape(n_knots, 3, 3, 3)
    centers = centers_of(R0, t0) + RNG.normal(size=(n_knots, 3, 3)) * 100
    return Trajectory(np.linspace(0, 90, n_knots), turn @ R0, centers)


def test_cameras_rotate_at_constant_velocity_between_knots():
    path = some_trajectory()
    frames = np.array([0, 12, 30, 71, 90])
    R, t = path.at(frames)
    for v in range(3):
        expected = Slerp(path.knots, Rotation.from_matrix(path.R[:, v]))(frames).as_matrix()
        np.testing.assert_allclose(R[:, v], expected, atol=1e-12)
        for axis in range(3):
            where = np.interp(frames, path.knots, path.centers[:, v, axis])
            np.testing.assert_allclose(centers_of(R, t)[:, v, axis], where, atol=1e-9)


def test_a_step_rotates_and_translates_in_the_cameras_frame():
    path = some_trajectory()
    step = RNG.normal(size=(4, 18)) * 0.01
    moved = path.moved(step)
    turn, shift = step[2, 6:9], step[2, 9:12]
    np.testing.assert_allclose(moved.R[2, 1], Rotation.from_rotvec(turn).as_matrix() @ path.R[2, 1], atol=1e-12)
    np.testing.assert_allclose(moved.R[2, 1] @ (path.centers - moved.centers)[2, 1], shift, atol=1e-9)


@pytest.mark.parametrize("n_knots", [2, 6])
def test_blocks_are_solved_and_inverted_as_the_whole_matrix(n_knots):
    D = 5
    root = np.zeros((n_knots * D, (n_knots - 1) * 20))
    for k in range(n_knots - 1):
        root[k * D : (k + 2) * D, k * 20 : (k + 1) * 20] = RNG.normal(size=(2 * D, 20))
    A, b = root @ root.T, RNG.normal(size=(n_knots, D))
    blocks = A.reshape(n_knots, D, n_knots, D)
    diagonal = np.array([blocks[k, :, k] for k in range(n_knots)])
    above = np.array([blocks[k, :, k + 1] for k in range(n_knots - 1)])
    np.testing.assert_allclose(trajectory._solve(diagonal, above, b).ravel(), np.linalg.solve(A, b.ravel()))
    inverse = np.linalg.inv(A).reshape(n_knots, D, n_knots, D)
    own, beside = trajectory._inverse(diagonal, above)
    np.testing.assert_allclose(own, [inverse[k, :, k] for k in range(n_knots)], atol=1e-12)
    np.testing.assert_allclose(beside, [inverse[k, :, k + 1] for k in range(n_knots - 1)], atol=1e-12)
