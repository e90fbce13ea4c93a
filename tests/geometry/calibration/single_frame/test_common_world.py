"""Rigs of single frames come into one world, whatever the world of each was."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.geometry.align import align
from pipeline.geometry.calibration.calibrated_rig import unknown_rig
from pipeline.geometry.calibration.single_frame.common_world import align_by_person, in_one_world
from pipeline.geometry.calibration.single_frame.rig_per_frame import find_rigs
from pipeline.geometry.triangulation.methods import robust
from tests.world.cameras import observed, ring
from tests.world.people import people


def rig_in_another_world(seed, scale=1.0, without=()):
    """The ring of four cameras in a world turned and shifted at random, some of its cameras unknown."""
    rng = np.random.default_rng(seed)
    R, t = ring(4)
    Q, shift = Rotation.random(random_state=rng).as_matrix(), rng.normal(size=3) * 1000
    R, t = R @ Q, t * scale + np.einsum("vij,j->vi", R, shift)
    rig = replace(unknown_rig(4), R=R, t=t)
    rig.R[list(without)], rig.t[list(without)] = np.nan, np.nan
    return rig


def assert_same(rig, other, atol=1e-6):
    known = rig.has_extrinsics & other.has_extrinsics
    assert known.sum() >= 1
    np.testing.assert_allclose(rig.R[known], other.R[known], atol=atol)
    np.testing.assert_allclose(rig.centers[known], other.centers[known], atol=atol * 1000)


def test_all_frames_have_the_same_cameras():
    rigs = [
        rig_in_another_world(0),
        None,
        rig_in_another_world(1, without=[0]),
        rig_in_another_world(2, without=[3, 1]),
    ]
    aligned = in_one_world(rigs)
    assert aligned[1] is None
    for rig in aligned[2:]:
        assert_same(rig, aligned[0])


def test_each_frame_keeps_its_scale_around_the_middle_of_the_cameras():
    first, second = in_one_world([rig_in_another_world(0), rig_in_another_world(1, scale=1.1)])
    np.testing.assert_allclose(second.R, first.R, atol=1e-6)
    np.testing.assert_allclose(second.centers.mean(0), first.centers.mean(0), atol=1e-3)
    size = [np.linalg.norm(rig.centers - rig.centers.mean(0), axis=-1).mean() for rig in (first, second)]
    assert size[1] / size[0] == pytest.approx(1.1)


def test_a_frame_that_shares_one_camera_has_no_rig():
    alone = rig_in_another_world(1, without=[0, 1])
    rigs = [rig_in_another_world(0, without=[3]), alone]
    assert in_one_world(rigs)[1] is None


def test_there_is_no_world_without_a_rig():
    with pytest.raises(ValueError, match="no frame has a rig"):
        in_one_world([None])


def calibrated(R, t, n_frames=12, seed=0):
    """Rigs of noisy frames in one world, the joints in each rig's first camera, what was seen, and the true joints."""
    joints = people(n_frames, seed=seed)
    points_norm, sigma = observed(joints, R, t, noise_px=4, seed=seed)
    rigs = in_one_world(find_rigs(points_norm, sigma, seed=1))
    found = [robust(x, s, rig.R, rig.t) for x, s, rig in zip(points_norm, sigma, rigs, strict=True)]
    joints_cam = np.stack([x @ rig.R[0].T + rig.t[0] for x, rig in zip(found, rigs, strict=True)])
    return rigs, joints_cam, points_norm, 0.3 * sigma, joints


def apart_mm(rigs, joints_cam, joints):
    """Mean distance of all frames' joints from the truth after one similarity for all of them."""
    found = np.stack([(x - rig.t[0]) @ rig.R[0] for rig, x in zip(rigs, joints_cam, strict=True)])
    flat = joints.reshape(1, -1, 3)
    return np.linalg.norm(align(found.reshape(1, -1, 3), flat) - flat, axis=-1).mean()


def test_the_person_moves_as_seen_by_the_mean_rig_of_cameras_that_stand_still():
    rigs, joints_cam, points_norm, sigma, joints = calibrated(*ring(4))
    aligned = align_by_person(rigs, joints_cam, points_norm, sigma)
    assert apart_mm(aligned, joints_cam, joints) < 0.6 * apart_mm(rigs, joints_cam, joints)
    for old, new in zip(rigs, aligned, strict=True):
        # The rig itself stays as it is.
        np.testing.assert_allclose(new.R @ new.R[0].T, old.R @ old.R[0].T, atol=1e-9)


def test_rigs_keep_their_world_where_the_mean_rig_does_not_hold():
    rigs, joints_cam, points_norm, sigma, _ = calibrated(*ring(4), n_frames=6)
    points_norm = points_norm + np.arange(6)[:, None, None, None] * 0.05  # the cameras rotate
    aligned = align_by_person(rigs, joints_cam, points_norm, sigma)
    for f in (4, 5):
        np.testing.assert_array_equal(aligned[f].R, rigs[f].R)


def test_frames_without_a_rig_or_with_few_joints_stay():
    rigs, joints_cam, points_norm, sigma, _ = calibrated(*ring(4), n_frames=6)
    rigs[1], joints_cam[1] = None, np.nan
    joints_cam[2, :12] = np.nan
    aligned = align_by_person(rigs, joints_cam, points_norm, sigma)
    assert aligned[1] is None
    np.testing.assert_array_equal(aligned[2].R, rigs[2].R)


def test_infinite_joints_are_refused():
    rigs, joints_cam, points_norm, sigma, _ = calibrated(*ring(4), n_frames=2)
    joints_cam[0, 0] = np.inf
    with pytest.raises(ValueError, match="joints_cam"):
        align_by_person(rigs, joints_cam, points_norm, sigma)
