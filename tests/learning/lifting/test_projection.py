import numpy as np
import pytest
import torch
from scipy.optimize import least_squares

from pipeline.geometry.camera.model import Camera, undistort
from pipeline.learning.lifting.projection import (
    MIN_DEPTH,
    best_translation,
    project,
    rotation_to_axis,
    to_camera,
    to_world,
)
from tests.world.cameras import SIZE_PX, K, ring
from tests.world.people import people

LENS = np.array([-0.2, 0.24, -0.002, -0.001, -0.003])


def tensors(*arrays):
    return tuple(torch.from_numpy(np.asarray(a)) for a in arrays)


def test_projection_is_that_of_the_geometry_room_lens_distortion_included():
    """Rays of undistorted detections and pinhole projections of the points that were seen are the same."""
    joints, (R, t) = people(20), ring(4)
    for v in range(4):
        camera = Camera(K, LENS, SIZE_PX, R[v], t[v])
        seen = undistort(camera.project(joints), K, LENS)
        ours = project(to_camera(*tensors(joints, R[v], t[v])))
        np.testing.assert_allclose(ours, seen, atol=1e-9)


def test_to_world_undoes_to_camera():
    joints, (R, t) = people(5), ring(5)
    world, R, t = tensors(joints, R, t)
    torch.testing.assert_close(to_world(to_camera(world, R, t), R, t), world)


def test_from_camera_to_camera_is_the_geometry_rooms():
    """A pose of one camera, seen by another through the world."""
    joints, (R, t) = people(3), ring(2)
    in_first = Camera(K, LENS, SIZE_PX, R[0], t[0]).to_camera(joints)
    moved = to_camera(to_world(*tensors(in_first, R[0], t[0])), *tensors(R[1], t[1]))
    np.testing.assert_allclose(moved, Camera(K, LENS, SIZE_PX, R[1], t[1]).to_camera(joints), atol=1e-9)


def test_gradients_of_the_projection_are_right():
    points = torch.tensor([[0.3, -0.2, 3.0], [0.1, 0.2, 0.05], [0.4, 0.1, -2.0]], dtype=torch.float64)
    assert torch.autograd.gradcheck(project, points.requires_grad_())


@pytest.mark.parametrize("depth", [-1e4, -1.0, -1e-9, 0.0, 1e-9, MIN_DEPTH])
def test_a_point_behind_the_camera_keeps_a_finite_gradient_that_leads_it_out(depth):
    z = torch.tensor(depth, requires_grad=True)
    point = torch.stack([torch.tensor(1.0), torch.tensor(1.0), z])
    project(point).norm().backward()
    assert torch.isfinite(z.grad)
    assert z.grad < 0


@pytest.mark.parametrize("direction", [(0.4, -0.2, 1.0), (0.0, 0.0, 1.0), (-1.0, 2.0, 1.0)])
def test_turned_camera_looks_at_the_direction(direction):
    direction = torch.tensor(direction)
    R = rotation_to_axis(direction)
    torch.testing.assert_close(R @ direction, torch.tensor([0, 0, 1.0]) * direction.norm(), atol=1e-6, rtol=0)
    torch.testing.assert_close(R @ R.T, torch.eye(3), atol=1e-6, rtol=0)
    assert torch.linalg.det(R) > 0


def test_best_translation_is_exact_for_exact_poses():
    joints, (R, t) = people(4), ring(3)
    around = joints - joints[:, :1]
    points_norm = project(to_camera(*tensors(joints[:, None], R[None], t[None])))
    weights = torch.ones(points_norm.shape[:-1], dtype=points_norm.dtype)
    found = best_translation(*tensors(around, R, t), points_norm, weights)
    np.testing.assert_allclose(found, joints[:, 0], atol=1e-3)
    # One view is enough, and what has no weight does not count.
    points_norm[:, 0, 3:5] = torch.nan
    weights[:, 0, 3:5] = 0
    found = best_translation(*tensors(around, R[:1], t[:1]), points_norm[:, :1], weights[:, :1])
    np.testing.assert_allclose(found, joints[:, 0], atol=1e-3)


def test_best_translation_agrees_with_a_nonlinear_fit():
    """With noise the linear solution lies near the one that makes the distances in the images least."""
    joints, (R, t) = people(1, seed=3), ring(4)
    rng = np.random.default_rng(0)
    points_norm = project(to_camera(*tensors(joints[:, None], R[None], t[None]))).numpy()
    points_norm += rng.normal(0, 0.002, points_norm.shape)
    around = joints - joints[:, :1]

    def residuals(r):
        return (project(to_camera(*tensors(around + r, R, t))).numpy() - points_norm[0]).ravel()

    best = least_squares(residuals, joints[0, 0]).x
    found = best_translation(*tensors(around, R, t, points_norm), torch.ones(points_norm.shape[:-1]))
    assert np.linalg.norm(found.numpy()[0] - best) < 0.3 * np.linalg.norm(best - joints[0, 0]) + 1.0
