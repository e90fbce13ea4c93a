"""Rigs of single frames come into one world, whatever the world of each was."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.geometry.calibration.calibrated_rig import unknown_rig
from pipeline.labels.single_frame_rigs import in_one_world
from tests.world.cameras import ring


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
