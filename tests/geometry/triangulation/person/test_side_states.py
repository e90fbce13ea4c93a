"""The states of two views: what each costs, where its body is, and blocks that do not matter."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.geometry.triangulation.person.side_states import SWAPPED
from tests.geometry.triangulation.person.scenes import walker

FIELDS = ("frames", "views", "costs", "motion", "differs")


@pytest.mark.parametrize("state", range(4))
def test_the_state_of_the_swapped_views_costs_least(state):
    scene = walker(200)
    states = scene.swapped(np.broadcast_to(SWAPPED[state], (200, 2))).states()
    assert states.costs.sum(0).argmin() == state
    # Between frames, the person moves least if the state stays.
    assert (states.motion[1:, state].argmin(-1) == state).mean() > 0.99
    assert states.differs[:, state, 3 - state].all()
    assert not states.differs[:, state, state].any()


def test_more_views_have_one_state_and_fewer_none():
    scene, where = walker(60, 3), np.zeros((60, 3), bool)
    where[20:40, 1] = where[30:40, 2] = True
    states = scene.hidden(where).states()
    # Of the frames that three views see, only those beside others are needed, and the first and the last.
    assert states.frames.tolist() == [0, *range(19, 30), 40, 59]
    assert (np.isfinite(states.costs).sum(1) == np.where((states.frames >= 20) & (states.frames < 40), 4, 1)).all()
    assert (states.views[2:12] == [0, 2]).all()
    assert (states.views[[0, 1, 12, 13]] == -1).all()
    # Views that contradict each other say nothing.
    precise = replace(scene, sigma=np.where((np.arange(60) < 20)[:, None, None], 0.1, 1.0) * scene.sigma)
    assert precise.hidden(where).states().frames.tolist() == [*range(20, 30), 40, 59]


def test_motion_over_a_gap_costs_less():
    scene, where = walker(30), np.zeros((30, 2), bool)
    where[10:20, 0] = True
    states = scene.hidden(where).states()
    [at] = np.flatnonzero(states.frames == 20)
    assert 0 < states.motion[at, 0, 3] < 0.5 * states.motion[at - 1, 0, 3]


@pytest.mark.parametrize("frames_per_block", [1, 7, 33])
def test_blocks_do_not_matter(frames_per_block):
    where = np.zeros((50, 2), bool)
    where[12:30, 1] = True
    scene = walker(50).hidden(where)
    whole, parts = scene.states(50), scene.states(frames_per_block)
    for name in FIELDS:
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-6, atol=1e-6)


def test_the_unit_does_not_matter():
    scene = walker(40)
    small = replace(scene, joints=scene.joints / 700, t=scene.t / 700)
    found, same = small.states(), scene.states()
    np.testing.assert_allclose(found.costs, same.costs, rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(found.motion, same.motion, rtol=1e-3, atol=1e-2)


def test_nothing_seen_has_no_states():
    scene = walker(10)
    states = scene.hidden(np.ones((10, 2), bool)).states()
    assert all(len(getattr(states, name)) == 0 for name in FIELDS)
