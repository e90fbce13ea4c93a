"""Left and right of two views are decided over time; where nothing decides, this is said."""

from itertools import pairwise, product

import numpy as np
import pytest

from pipeline.geometry.triangulation.person import sides
from pipeline.geometry.triangulation.person.side_states import SWAPPED, SideStates
from pipeline.geometry.triangulation.person.sides import decide_sides
from tests.geometry.triangulation.person.scenes import FPS, walker

N = 200
SPANS = {
    "one view": [(0, 70, 120)], "the other view": [(1, 70, 120)], "one after the other": [(0, 40, 80), (1, 80, 130)],
    "both": [(0, 70, 120), (1, 70, 120)], "overlapping": [(0, 50, 100), (1, 80, 120)], "at the start": [(1, 0, 60)],
    "most frames": [(0, 30, 150)], "single frames": [(0, 20, 21), (1, 100, 101), (0, 150, 152)], "nothing": [],
}  # fmt: skip


def spans(given, n_views=2):
    where = np.zeros((N, n_views), bool)
    for view, start, stop in given:
        where[start:stop, view] = True
    return where


@pytest.mark.parametrize("name", SPANS)
@pytest.mark.parametrize("seed", range(3))
def test_swapped_views_are_found(name, seed):
    where = spans(SPANS[name])
    found = decide_sides(walker(N, seed=seed).swapped(where).states(), N, 2, FPS)
    # Where the person faces one camera and stands sideways in the other, either names the same joints for a moment.
    assert (found.swapped == where)[~found.is_ambiguous].mean() > 0.99
    assert found.is_ambiguous.mean() < 0.03


def test_three_views_need_no_decision():
    scene = walker(N, 3).swapped(spans([(0, 20, 60)], 3))
    found = decide_sides(scene.states(), N, 3, FPS)
    assert not found.swapped.any()
    assert not found.is_ambiguous.any()


def test_two_of_three_views_follow_the_frames_of_three():
    where, hidden = spans([(0, 60, 140)], 3), spans([(1, 60, 140)], 3)
    found = decide_sides(walker(N, 3).swapped(where).hidden(hidden).states(), N, 3, FPS)
    assert (found.swapped == where).mean() > 0.99


def made(costs, differs=None, motion=None):
    n = len(costs)
    apart = np.broadcast_to(~np.eye(4, dtype=bool), (n, 4, 4)) if differs is None else differs
    motion = np.zeros((n, 4, 4), np.float32) if motion is None else motion
    return SideStates(np.arange(n), np.broadcast_to([0, 1], (n, 2)), np.array(costs, float), motion, apart)


def test_where_nothing_decides_it_is_ambiguous():
    costs = np.full((60, 4), 50.0)
    costs[:20, 0] = costs[40:, 0] = 0.0
    costs[20:40, 1:3] = 0.0
    found = decide_sides(made(costs), 60, 2, FPS)
    assert found.is_ambiguous.tolist() == [False] * 20 + [True] * 20 + [False] * 20
    same = np.zeros((60, 4, 4), bool)
    assert not decide_sides(made(costs, same), 60, 2, FPS).is_ambiguous.any()
    costs[20:40, 1] = 10.0
    decided = decide_sides(made(costs), 60, 2, FPS)
    assert not decided.is_ambiguous.any()
    assert (decided.swapped[20:40] == SWAPPED[2]).all()


def test_the_path_is_the_best_of_all():
    rng = np.random.default_rng(4)
    costs, motion = rng.uniform(0, 30, (5, 4)), rng.uniform(0, 30, (5, 4, 4))
    costs[2, 1:] = np.inf
    found = decide_sides(made(costs, motion=motion), 5, 2, FPS)
    share = sides.INDEPENDENT_PER_S / FPS

    def cost(path):
        own = sum(share * (costs[f, s] + sides.SWAPPED_COST * SWAPPED[s].sum()) for f, s in enumerate(path))
        return own + sum(
            motion[f, a, b] + sides.SWITCH_COST * (SWAPPED[a] ^ SWAPPED[b]).sum()
            for f, (a, b) in enumerate(pairwise(path), 1)
        )

    every = {path: cost(path) for path in product(range(4), repeat=5)}
    best = min(every, key=every.get)
    assert (found.swapped == SWAPPED[list(best)]).all()
    for f in range(5):
        others = [c for path, c in every.items() if path[f] != best[f]]
        assert found.is_ambiguous[f] == (min(others) < every[best] + sides.MARGIN)
