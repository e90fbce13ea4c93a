"""Residuals by view and by landmark."""

import numpy as np
import pytest

from pipeline.geometry.verification.residuals_by_landmark import residuals_by_landmark
from tests.world.cameras import ring

R, T = ring(4)


def scene(n_frames=200):
    """Points (F, 3, 4, 2) of three landmarks, with noise, in four views."""
    rng = np.random.default_rng(1)
    world = rng.normal(0, 300, (n_frames, 3, 1, 3))
    camera = np.einsum("vij,fpvj->fpvi", R, np.repeat(world, 4, 2)) + T
    return camera[..., :2] / camera[..., 2:]


def test_exact_points_leave_nothing_and_a_landmark_that_is_off_in_a_view_stands_out():
    points = scene()
    sigma = np.full(points.shape[:-1], 0.01)
    assert np.nanmax(residuals_by_landmark(points, sigma, R, T).by_landmark) < 1e-6
    # Far enough to be an outlier, so that the triangulated points stay where the others see them.
    points[:, 1, 2] += [0.3, 0.4]
    found = residuals_by_landmark(points, sigma, R, T)
    assert found.by_landmark[1, 2] == pytest.approx(0.5, rel=1e-2)
    assert found.by_landmark[[0, 2]].max() < 1e-6
    assert found.by_view.max() < 1e-6


def test_a_rig_for_each_frame_gives_the_same_as_one_for_all():
    points, sigma = scene() + np.random.default_rng(3).normal(0, 2e-3, (200, 3, 4, 2)), np.full((200, 3, 4), 2e-3)
    one = residuals_by_landmark(points, sigma, R, T)
    each = residuals_by_landmark(points, sigma, np.repeat(R[None], 200, 0), np.repeat(T[None], 200, 0))
    np.testing.assert_allclose(each.by_landmark, one.by_landmark)
    # Four views leave 5 of the 8 coordinates of a point to the residuals.
    np.testing.assert_allclose(one.by_view, 1.1774 * 2e-3 * np.sqrt(5 / 8), rtol=0.1)


def test_what_is_seen_too_rarely_or_by_no_calibrated_view_has_no_residual():
    points, sigma = scene(), np.full((200, 3, 4), 0.01)
    sigma[4:, 0, 1] = np.inf
    t = np.where(np.arange(4)[:, None] == 3, np.nan, T)
    found = residuals_by_landmark(points, sigma, R, t)
    assert np.isnan(found.by_landmark).tolist() == [
        [False, True, False, True], [False, False, False, True], [False, False, False, True],
    ]  # fmt: skip
    assert np.isnan(found.by_view).tolist() == [False, False, False, True]


def test_infinite_points_are_refused():
    with pytest.raises(ValueError, match="infinite"):
        residuals_by_landmark(np.full((2, 3, 4, 2), np.inf), np.ones((2, 3, 4)), R, T)
