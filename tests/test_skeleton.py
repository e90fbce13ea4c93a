"""The joints, their bones and sides."""

import numpy as np

from pipeline.skeleton import BONES, JOINTS, LIMB_JOINTS, MIRROR, N_JOINTS, PARENTS, ROOT, joint


def test_human36m_order():
    assert N_JOINTS == 17
    assert [JOINTS[j] for j in (0, 3, 6, 10, 13, 16)] == ["pelvis", "r_ankle", "l_ankle", "head", "l_wrist", "r_wrist"]


def test_mirror_swaps_sides_and_is_its_own_inverse():
    np.testing.assert_array_equal(MIRROR[MIRROR], np.arange(N_JOINTS))
    assert JOINTS[MIRROR[joint("l_wrist")]] == "r_wrist"
    assert MIRROR[joint("neck")] == joint("neck")


def test_mirroring_keeps_the_tree():
    np.testing.assert_array_equal(PARENTS[MIRROR], MIRROR[PARENTS])


def test_every_joint_hangs_on_the_root():
    assert PARENTS[ROOT] == ROOT
    for j in range(N_JOINTS):
        for _ in range(N_JOINTS):
            j = PARENTS[j]
        assert j == ROOT
    assert len(BONES) == 16


def test_limbs():
    assert len(LIMB_JOINTS) == 12
