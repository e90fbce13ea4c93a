"""Random poses respect bone lengths and joint limits, and stand on the floor."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.skeleton import joint
from pipeline.synthetic.people.person import draw_person
from pipeline.synthetic.people.poses import draw_poses
from tests.synthetic.people.clips import check_body


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_random_poses_keep_bones_and_limits_and_stand_on_the_floor(seed):
    rng = np.random.default_rng(seed)
    person = draw_person(rng)
    joints = draw_poses(person, 16, rng).joints_mm
    check_body(person, joints)
    ankles = joints[:, [joint("l_ankle"), joint("r_ankle")], 2]
    np.testing.assert_allclose(ankles.min(1), person.build.ankle, atol=1e-6)
