"""Scale and vertical from people."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.geometry.body.scale import ANKLE_SHARE, bone_scale, height_scale, up_direction, upright_axes
from pipeline.geometry.camera.reprojection import covariance
from pipeline.geometry.triangulation.methods import robust
from pipeline.skeleton import BONES, joint
from tests.world.cameras import observed, ring
from tests.world.people import people


def test_scale_from_bones():
    joints = people(50)  # built with the mean adult limbs
    assert bone_scale(joints / 7) == pytest.approx(7)
    joints[:, joint("l_knee")] = np.nan  # the other side is enough
    joints[::2] *= np.nan
    assert bone_scale(joints / 7) == pytest.approx(7)
    assert np.isnan(bone_scale(joints * np.nan))


def test_scale_from_the_height():
    bones = 408 + 428 + 230 + 250 + 120 + 110
    assert height_scale(people(50) / 7, bones / (1 - ANKLE_SHARE)) == pytest.approx(7)


def test_the_vertical_from_standing_people():
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


def test_noise_does_not_bias_the_scale():
    joints, (R, t) = people(400), ring(4)
    points_norm, sigma = observed(joints, R, t, noise_px=8)
    points = robust(points_norm, sigma, R, t)
    scatter = covariance(points, np.full_like(sigma, 0.008), R, t)[..., *np.triu_indices(3)]
    biased = np.median([np.linalg.norm(points[:, a] - points[:, b], axis=-1) for a, b in BONES], axis=1)
    true = np.array([np.linalg.norm(joints[0, a] - joints[0, b]) for a, b in BONES])
    assert np.median(biased / true) > 1.01
    assert bone_scale(points, scatter) == pytest.approx(1, abs=0.004)
    stature = 408 + 428 + 230 + 250 + 120 + 110
    assert height_scale(points, stature / (1 - ANKLE_SHARE), scatter) == pytest.approx(1, abs=0.006)
