"""The vertical from people: standing, leaning, tumbling, and how certain it is."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.geometry.body.vertical import find_vertical, upright_axes
from pipeline.skeleton import joint
from tests.world.people import people


def test_the_vertical_from_standing_people():
    joints = people(200, swing=0.2)
    R = Rotation.random(rng=np.random.default_rng(0)).as_matrix()
    vertical = find_vertical(joints @ R.T)
    assert np.degrees(np.arccos(vertical.up @ R[:, 2])) < 3
    axes = upright_axes(vertical.up)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1)
    np.testing.assert_allclose(axes[:, 2], vertical.up)


def test_people_who_do_not_stand_have_none():
    joints = people(200, swing=0.2)
    tumbling = np.einsum("fij,fnj->fni", Rotation.random(200, rng=np.random.default_rng(1)).as_matrix(), joints)
    assert find_vertical(tumbling) is None
    assert find_vertical(joints * np.nan) is None
    rare = joints.copy()
    rare[5:, joint("l_ankle")] = np.nan
    assert find_vertical(rare) is None


def test_a_lean_counts_where_nobody_turns():
    joints = people(200, swing=0.1)
    turning = find_vertical(joints)
    ahead = find_vertical(np.broadcast_to(joints[:1], joints.shape))
    assert turning.std_deg < 1.5
    assert 5 < ahead.std_deg < 7


@pytest.mark.parametrize("turns", [True, False])
def test_the_standard_deviation_holds(turns):
    """People lean by 4 degrees (one standard deviation) along each axis of their body."""
    z = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        joints = people(60, seed=seed, swing=0.1)
        forward = facing(joints)
        if not turns:
            heading = np.arctan2(forward[:, 1], forward[:, 0])
            joints = turned(joints, -heading)
            forward = facing(joints)
        lean = np.radians(rng.normal(0, 4, 2))
        axis = lean[0] * np.cross([0, 0, 1.0], forward) + lean[1] * forward
        R = Rotation.from_rotvec(axis).as_matrix()
        vertical = find_vertical(np.einsum("fij,fnj->fni", R, joints))
        z.append(np.degrees(np.arccos(np.clip(vertical.up[2], -1, 1))) / vertical.std_deg)
    assert 0.5 < np.mean(np.square(z)) < 1.6


def facing(joints):
    forward = np.cross(joints[:, joint("l_shoulder")] - joints[:, joint("r_shoulder")], [0, 0, 1.0])
    forward[:, 2] = 0
    return forward / np.linalg.norm(forward, axis=-1, keepdims=True)


def turned(joints, angle):
    R = Rotation.from_rotvec(np.outer(angle, [0, 0, 1.0])).as_matrix()
    return np.einsum("fij,fnj->fni", R, joints)
