"""Which views need a correction by what the joint adjustment found."""

import numpy as np

from pipeline.geometry.verification.time_offset import Solution
from pipeline.labels.synchronisation.with_rig import JointOffsets

ALL = np.ones(4, bool)


def joint(offsets, std=0.05, posed=ALL):
    n = len(offsets)
    influences = std * np.eye(n)[:, :, None].repeat(2, 2).reshape(n, -1) / 2
    nothing = np.zeros((n, 2))
    return JointOffsets(Solution(np.array(offsets), influences, nothing, nothing, 1.0, 0.0), posed)


def test_views_without_certain_offsets_stay_reference_views():
    found = joint([0.0, 0.04, -0.03, 0.5])
    reference = found.reference(ALL)
    assert reference.tolist() == [True, True, True, False]
    left = found.left(reference)
    assert set(left) == {3}
    np.testing.assert_allclose(left[3].offsets, 0.5 - 0.01 / 3)


def test_where_half_of_the_views_are_late_the_first_is_the_reference():
    found = joint([0.0, 0.5, 0.0, 0.5])
    assert found.reference(ALL).tolist() == [True, False, False, False]
    assert found.reference(np.array([False, True, False, False])).tolist() == [False, True, False, False]


def test_views_without_a_pose_have_no_offset():
    posed = np.array([True, True, False, True])
    found = joint([0.0, 0.01, 0.6], posed=posed)
    offsets, stds = found.from_reference(np.array([True, False, False, False]))
    assert np.isnan(offsets).tolist() == np.isnan(stds).tolist() == [False, False, True, False]
    assert set(found.left(found.reference(np.array([True, True, False, True])))) == {3}
