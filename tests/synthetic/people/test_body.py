"""Inverse kinematics respects bone lengths and joint limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.skeleton import joint
from pipeline.synthetic.people.body import two_bones
from tests.synthetic.people.clips import LIMBS, check_body, every_action, make_clips


@every_action
def test_bones_keep_their_length_and_joints_their_limits(action):
    for person, clip in make_clips(action):
        check_body(person, clip.bodies.joints_mm)


@every_action
def test_knees_bend_backwards_only(action):
    for _, clip in make_clips(action):
        joints = clip.bodies.joints_mm
        for side in ("l_", "r_"):
            hip, knee, ankle = (joints[:, joint(side + name)] for name in LIMBS["knee"])
            # The knee lies before the line from hip to ankle, as the pelvis and the foot face.
            front = clip.bodies.pelvis[:, :, 0] + clip.bodies.feet[:, 0 if side == "l_" else 1, :, 0]
            bulge = ((knee - 0.5 * (hip + ankle)) * front).sum(-1)
            assert bulge.min() > -20


@given(st.floats(1, 3000), st.floats(-3, 3), st.floats(-1.5, 1.5))
@settings(max_examples=50, deadline=None)
def test_two_bones_reach_as_far_as_they_can(distance, azimuth, elevation):
    start, level = np.array([[10.0, 20, 30]]), np.cos(elevation)
    way = distance * np.array([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)])
    middle, end = two_bones(start, start + way, (400.0, 350.0), np.array([[0.3, 0.2, 1.0]]), np.deg2rad(150))
    assert np.linalg.norm(middle - start) == pytest.approx(400)
    assert np.linalg.norm(end - middle) == pytest.approx(350)
    if 210 < distance < 740:
        np.testing.assert_allclose(end, start + way, atol=1e-6)
