"""Views whose images are mirrored."""

import numpy as np
import pytest

from pipeline.geometry.verification.mirrored_views import is_mirrored
from pipeline.skeleton import MIRROR
from tests.world.cameras import FOCAL_PX, observed, ring
from tests.world.people import people


def scene(n_views: int, noise_px: float = 12.0):
    (R, t), joints = ring(n_views, spread=0.7), people(25)
    points_norm, _ = observed(joints, R, t, noise_px=noise_px)
    return points_norm, np.full(points_norm.shape[:3], noise_px / FOCAL_PX), R, t


def mirror(points_norm: np.ndarray, view: int) -> np.ndarray:
    changed = points_norm.copy()
    changed[:, :, view] = points_norm[:, MIRROR, view] * [-1, 1]
    return changed


@pytest.mark.parametrize("n_views", [3, 4, 6])
@pytest.mark.parametrize("has_extrinsics", [True, False])
def test_a_mirrored_view_is_found(n_views, has_extrinsics):
    points_norm, sigma, R, t = scene(n_views)
    if not has_extrinsics:
        t = np.where(np.arange(n_views)[:, None] == 1, np.nan, t)
    assert is_mirrored(mirror(points_norm, 1), sigma, R, t, 1, seed=0)


@pytest.mark.parametrize("view", range(4))
def test_a_view_that_is_right_is_not_mirrored(view):
    assert not is_mirrored(*scene(4), view, seed=0)


def test_a_view_of_other_people_is_not_mirrored():
    points_norm, sigma, R, t = scene(4)
    points_norm[:, :, 2] = np.random.default_rng(0).normal(0, 0.2, points_norm[:, :, 2].shape)
    assert not is_mirrored(points_norm, sigma, R, t, 2, seed=0)


def test_a_turned_camera_is_not_mirrored():
    points_norm, sigma, R, t = scene(4)
    points_norm[:, :, 2] *= [-1, -1]
    assert not is_mirrored(points_norm, sigma, R, t, 2, seed=0)


def test_two_views_do_not_tell():
    points_norm, sigma, R, t = scene(2)
    assert not is_mirrored(mirror(points_norm, 1), sigma, R, t, 1, seed=0)
