"""Noise of views against the others: right and wrong extrinsics, two views, other people, missing views."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.geometry.verification.given_residuals import consistent_views, left_out_noise
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
    assert noise == pytest.approx(np.ones(len(views)), abs=0.12)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_the_noise_is_a_multiple_of_sigma(scene, factor):
    R, t, x, s = scene
    assert left_out_noise(x, factor * s, R, t) == pytest.approx(np.ones(4) / factor, rel=0.15)


@pytest.mark.parametrize("degrees", [5, 10, 60])
@pytest.mark.parametrize("view", [0, 2])
def test_a_turned_camera_is_not_consistent_and_the_others_are(scene, view, degrees):
    R, t, x, s = scene
    R_wrong, t_wrong = turned(R, t, view, degrees)
    found = consistent_views(x, s, R_wrong, t_wrong)
    assert found.consistent.tolist() == [v != view for v in range(4)]
    in_metres = consistent_views(x, s, R_wrong, t_wrong / 1000)
    assert in_metres.noise == pytest.approx(found.noise, rel=1e-3)


@pytest.mark.parametrize("wrong", [(3,), (1, 5)])
def test_wrong_cameras_among_many_are_found(wrong):
    (R, t), joints = ring(8, spread=0.7), people(30)
    x, _ = observed(joints, R, t, noise_px=8)
    for view in wrong:
        R, t = turned(R, t, view, 8)
    found = consistent_views(x, np.full(x.shape[:3], 8 / FOCAL_PX), R, t)
    assert np.flatnonzero(~found.consistent).tolist() == list(wrong)
    assert found.noise[list(wrong)].min() > 2


def test_right_extrinsics_are_consistent(scene):
    R, t, x, s = scene
    for views in ([0, 1, 2, 3], [0, 1, 3], [1, 2]):
        found = consistent_views(x[:, :, views], s[:, :, views], R[views], t[views])
        assert found.consistent.all()
        assert found.worst < 1.3


def test_another_person_in_most_frames_spoils_the_median_only(scene):
    R, t, x, s = scene
    other, _ = observed(people(60, seed=5), R, t, noise_px=8)
    mixed = np.where((np.arange(60) % 4 > 0)[:, None, None, None] & (np.arange(4) == 0)[:, None], other, x)
    assert left_out_noise(mixed, s, R, t)[0] > 2.5
    assert consistent_views(mixed, s, R, t).consistent.all()
    R_wrong, t_wrong = turned(R, t, 0, 10)
    assert consistent_views(mixed, s, R_wrong, t_wrong).consistent.tolist() == [False, True, True, True]


def test_two_groups_of_cameras_in_different_worlds_are_not_consistent():
    (R, t), joints = ring(7, spread=0.7), people(40)
    x, _ = observed(joints, R, t, noise_px=8)
    Q = Rotation.from_euler("z", 30, degrees=True).as_matrix()
    moved = np.arange(7) < 3
    t = np.where(moved[:, None], t + R @ [0, 0, 400.0], t)
    R = np.where(moved[:, None, None], R @ Q, R)
    found = consistent_views(x, np.full(x.shape[:3], 8 / FOCAL_PX), R, t)
    assert found.consistent.tolist() in ([False] * 3 + [True] * 4, [False] * 7)


def test_views_without_extrinsics_or_points_have_no_noise(scene):
    R, t, x, s = scene
    noise = left_out_noise(x, s, R, np.where(np.arange(4)[:, None] == 1, np.nan, t))
    assert np.isnan(noise).tolist() == [False, True, False, False]
    unseen = np.where(np.arange(4) == 3, np.inf, s)
    assert np.isnan(left_out_noise(x, unseen, R, t)).tolist() == [False, False, False, True]
    assert np.isnan(left_out_noise(x, np.full_like(s, np.inf), R, t)).all()
    nothing = consistent_views(x, np.full_like(s, np.inf), R, t)
    assert not nothing.consistent.any()
    assert nothing.worst == np.inf


def test_points_behind_a_camera_contradict_it(scene):
    R, t, x, s = scene
    noise = left_out_noise(x, s, *turned(R, t, 0, 180))
    assert noise[0] > 20


def test_infinite_points_are_refused(scene):
    R, t, x, s = scene
    x = x.copy()
    x[0, 0, 0] = np.inf
    with pytest.raises(ValueError, match="infinite"):
        left_out_noise(x, s, R, t)
