"""Noise of views against the others: right and wrong extrinsics, two views, other people, missing views."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.geometry.verification.given_residuals import left_out_noise
from tests.world.cameras import FOCAL_PX, observed, ring
from tests.world.people import people


@pytest.fixture(scope="module")
def scene():
    (R, t), joints = ring(4, spread=0.7), people(60)
    points_norm, _ = observed(joints, R, t, noise_px=8)
    return R, t, points_norm, np.full(points_norm.shape[:3], 8 / FOCAL_PX)


def turned(R, t, view, degrees):
    Q = Rotation.from_euler("y", degrees, degrees=True).as_matrix()
    R, t = R.copy(), t.copy()
    R[view], t[view] = Q @ R[view], Q @ t[view]
    return R, t


@pytest.mark.parametrize("views", [[0, 1, 2, 3], [0, 1, 3], [0, 1]])
def test_right_extrinsics_leave_the_noise_of_the_detector(scene, views):
    R, t, x, s = scene
    noise = left_out_noise(x[:, :, views], s[:, :, views], R[views], t[views])
    assert noise.median == pytest.approx(np.ones(len(views)), abs=0.12)
    assert (noise.lower_quartile <= noise.median).all()


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_the_noise_is_a_multiple_of_sigma(scene, factor):
    R, t, x, s = scene
    assert left_out_noise(x, factor * s, R, t).median == pytest.approx(np.ones(4) / factor, rel=0.15)


def test_a_turned_camera_is_the_worst_and_the_unit_does_not_matter(scene):
    R, t, x, s = scene
    noise = left_out_noise(x, s, *turned(R, t, 2, 10))
    assert noise.lower_quartile.argmax() == 2
    assert noise.lower_quartile[2] > 10
    rest = left_out_noise(x, s, R, np.where(np.arange(4)[:, None] == 2, np.nan, t))
    assert np.nanmax(rest.lower_quartile) < 1.2
    R_moved, t_moved = turned(R, t, 2, 10)
    in_metres = left_out_noise(x, s, R_moved, t_moved / 1000)
    assert in_metres.median == pytest.approx(noise.median, rel=1e-3)


def test_another_person_in_half_of_the_frames_spoils_the_median_only(scene):
    R, t, x, s = scene
    other, _ = observed(people(60, seed=5), R, t, noise_px=8)
    mixed = x.copy()
    mixed[::2, :, 0] = other[::2, :, 0]
    noise = left_out_noise(mixed, s, R, t)
    assert noise.median[0] > 2.5
    assert noise.lower_quartile[0] < 1.5


def test_views_without_extrinsics_or_points_have_no_noise(scene):
    R, t, x, s = scene
    noise = left_out_noise(x, s, R, np.where(np.arange(4)[:, None] == 1, np.nan, t))
    assert np.isnan(noise.median).tolist() == [False, True, False, False]
    unseen = np.where(np.arange(4) == 3, np.inf, s)
    assert np.isnan(left_out_noise(x, unseen, R, t).median).tolist() == [False, False, False, True]
    assert np.isnan(left_out_noise(x, np.full_like(s, np.inf), R, t).lower_quartile).all()


def test_points_behind_a_camera_contradict_it(scene):
    R, t, x, s = scene
    noise = left_out_noise(x, s, *turned(R, t, 0, 180))
    assert noise.median[0] > 20


def test_infinite_points_are_refused(scene):
    R, t, x, s = scene
    x = x.copy()
    x[0, 0, 0] = np.inf
    with pytest.raises(ValueError, match="infinite"):
        left_out_noise(x, s, R, t)
