"""Videos given to the wrong cameras, with equal and with different intrinsics, of few and of many views."""

import numpy as np
import pytest

from pipeline.geometry.verification.exchanged_views import find_exchange
from tests.world.cameras import FOCAL_PX, observed, ring
from tests.world.people import people


def scene(n_views, order, noise_px=12.0, focal_scales=None, n_frames=25):
    """Image points (F, J, video, camera, 2) of videos in another order: camera v's video is number order[v]."""
    (R, t), joints = ring(n_views, spread=0.7), people(n_frames)
    points_norm, _ = observed(joints, R, t, noise_px=noise_px)
    scales = np.ones(n_views) if focal_scales is None else np.array(focal_scales)
    videos = np.empty((n_frames, 17, n_views, 2))
    videos[:, :, list(order)] = points_norm * scales[:, None]  # in pixels over the common focal length
    x = videos[:, :, :, None] / scales[:, None]
    return x, np.full(x.shape[:4], noise_px / FOCAL_PX), R, t


@pytest.mark.parametrize(
    ("n_views", "order"),
    [(2, (1, 0)), (3, (0, 2, 1)), (4, (0, 1, 3, 2)), (4, (1, 0, 3, 2)), (4, (1, 2, 3, 0)), (7, (0, 5, 2, 3, 4, 1, 6))],
)
def test_the_order_is_found(n_views, order):
    found = find_exchange(*scene(n_views, order))
    assert found.video_of_camera == order
    assert found.noise < 2 < found.noise_given


def test_the_order_is_found_with_different_focal_lengths():
    found = find_exchange(*scene(4, (2, 1, 0, 3), focal_scales=(1.0, 1.3, 0.8, 1.1)))
    assert found.video_of_camera == (2, 1, 0, 3)


@pytest.mark.parametrize("n_views", [2, 3, 4, 6])
@pytest.mark.parametrize("noise_px", [2.0, 40.0])
def test_the_given_order_is_kept(n_views, noise_px):
    assert find_exchange(*scene(n_views, range(n_views), noise_px)) is None


def test_noise_without_people_has_no_order():
    x, s, R, t = scene(4, range(4))
    assert find_exchange(np.random.default_rng(0).normal(0, 0.2, x.shape), s, R, t) is None
    assert find_exchange(x * np.nan, s, R, t) is None


def test_a_wrong_camera_is_not_an_exchange():
    x, s, R, t = scene(4, range(4))
    R, t = R.copy(), t.copy()
    R[0], t[0] = ring(4, spread=0.4)[0][1], ring(4, spread=0.4)[1][1]
    assert find_exchange(x, s, R, t) is None


def test_in_a_symmetric_rig_the_fewest_moves_count():
    """Four cameras on a ring: its rotations by 180 degrees fit as well."""
    (R, t), joints = ring(4), people(25)
    points_norm, _ = observed(joints, R, t, noise_px=12)
    order = (0, 1, 3, 2)
    x = np.repeat(points_norm[:, :, np.argsort(order), None], 4, 3)
    found = find_exchange(x, np.full(x.shape[:4], 0.012), R, t)
    assert found.video_of_camera == order


def test_other_numbers_of_videos_are_refused():
    x, s, R, t = scene(3, range(3))
    with pytest.raises(ValueError, match="2 videos for 3 cameras"):
        find_exchange(x[:, :, :2], s[:, :, :2], R, t)
