"""What people tell: scale, the vertical, and their own bone lengths."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.geometry.bones import own_lengths, refine
from pipeline.geometry.scale import ANKLE_SHARE, bone_scale, height_scale, up_direction, upright_axes
from pipeline.geometry.triangulation import robust
from pipeline.skeleton import BONES, joint
from tests.geometry.scene import observed, people, ring


def test_bones_give_millimetres():
    joints = people(50)  # built with the mean adult limbs
    assert bone_scale(joints / 7) == pytest.approx(7)
    joints[:, joint("l_knee")] = np.nan  # the other side is enough
    joints[::2] *= np.nan
    assert bone_scale(joints / 7) == pytest.approx(7)
    assert np.isnan(bone_scale(joints * np.nan))


def test_height_gives_millimetres():
    bones = 408 + 428 + 230 + 250 + 120 + 110
    assert height_scale(people(50) / 7, bones / (1 - ANKLE_SHARE)) == pytest.approx(7)


def test_people_stand_upright():
    joints = people(200, swing=0.2)
    R = Rotation.random(rng=np.random.default_rng(0)).as_matrix()
    up = up_direction(joints @ R.T)
    assert np.degrees(np.arccos(up @ R[:, 2])) < 3
    axes = upright_axes(up)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1)
    np.testing.assert_allclose(axes[:, 2], up)
    tumbling = np.einsum("fij,fnj->fni", Rotation.random(200, rng=np.random.default_rng(1)).as_matrix(), joints)
    assert up_direction(tumbling) is None
    assert up_direction(joints * np.nan) is None


def test_own_bone_lengths_lower_the_error():
    joints, (R, t) = people(60), ring(4)
    rays, sigma = observed(joints, R, t, noise_px=5)
    first = robust(rays.reshape(-1, 4, 2), sigma.reshape(-1, 4), R, t).reshape(joints.shape)
    lengths = own_lengths(first)
    true = np.linalg.norm(joints[0, BONES[:, 0]] - joints[0, BONES[:, 1]], axis=-1)
    np.testing.assert_allclose(lengths, true, atol=12)
    refined, _ = refine(first, rays, sigma, R[None], t[None], lengths, 20.0)
    before, after = (np.linalg.norm(x - joints, axis=-1).mean() for x in (first, refined))
    assert after < 0.93 * before
    first[0, 3] = np.nan
    again, _ = refine(first, rays, sigma, R[None], t[None], lengths, 20.0)
    assert np.isnan(again[0, 3]).all()
    np.testing.assert_allclose(again[1:], refined[1:])


def test_exact_joints_stay_where_they_are():
    joints, (R, t) = people(30), ring(3)
    rays, sigma = observed(joints, R, t)
    refined, _ = refine(joints, rays, sigma, R[None], t[None], own_lengths(joints), 20.0)
    np.testing.assert_allclose(refined, joints, atol=1e-6)
    assert np.isnan(own_lengths(joints[:5])).all()
