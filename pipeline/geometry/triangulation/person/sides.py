"""Decides left and right over whole recordings, where only two views see the person.

Two views do not show which of them has swapped left and right. Time does: a person does not turn around between two
frames, and detectors swap for a while and not in every frame. The sequence of states of `side_states` is the one that
costs least. Where a sequence with other labels costs hardly more, nothing decides which is left and which is right.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from pipeline.compiled import compiled
from pipeline.geometry.triangulation.person.side_states import SWAPPED, SideStates

# Evidence of successive frames is not independent: so many frames in a second count.
INDEPENDENT_PER_S = 12.0
# Cost of each view that swaps sides or stops doing so, and of each frame and view that has swapped them.
SWITCH_COST, SWAPPED_COST = 10.0, 1.5
# Other labels are as plausible if the best sequence with them costs less than this more.
MARGIN = 10.0
SWITCHES = SWITCH_COST * (SWAPPED[:, None] ^ SWAPPED[None]).sum(-1)


@dataclass(frozen=True)
class Sides:
    """In which frames and views of a recording left and right are swapped."""

    swapped: Bool[np.ndarray, "frame view"]
    is_ambiguous: Bool[np.ndarray, " frame"]  # nothing decides which is left and which is right

    @classmethod
    def as_named(cls, n_frames: int, n_views: int) -> "Sides":
        """No view has left and right swapped."""
        return cls(np.zeros((n_frames, n_views), bool), np.zeros(n_frames, bool))


def decide_sides(states: SideStates, n_frames: int, n_views: int, fps: float) -> Sides:
    """The sequence of states of a recording that costs least, and the frames in which it is not certain."""
    found = Sides.as_named(n_frames, n_views)
    few = states.views[:, 0] >= 0
    if not few.any():
        return found
    share = min(1.0, INDEPENDENT_PER_S / fps)
    costs = share * (states.costs + SWAPPED_COST * SWAPPED.sum(1))
    same = few[1:] & few[:-1] & (states.views[1:] == states.views[:-1]).all(1)
    links = states.motion.astype(float)
    links[1:] += np.where(same[:, None, None], SWITCHES, 0.0)
    chosen, excess = _best_path(costs, links)
    found.swapped[states.frames[few, None], states.views[few]] = SWAPPED[chosen[few]]
    others = states.differs[np.arange(len(chosen)), chosen]
    found.is_ambiguous[states.frames[few]] = (others & (excess < MARGIN)).any(1)[few]
    return found


def _best_path(
    costs: Float[np.ndarray, "known state"], links: Float[np.ndarray, "known state state"]
) -> tuple[np.ndarray, np.ndarray]:
    """The state of each frame on the best path, and what the best path through each state costs more than that."""
    ahead, behind = _sweep(costs, links), _sweep(costs[::-1].copy(), _reversed(links))[::-1]
    through = ahead + behind - np.where(np.isfinite(costs), costs, 0.0)
    through = np.where(np.isfinite(costs), through, np.inf)
    chosen = _traced(ahead, links)
    return chosen, through - np.take_along_axis(through, chosen[:, None], 1)


def _reversed(links: np.ndarray) -> np.ndarray:
    """The links of the reversed sequence; those of its first frame are not used."""
    return np.concatenate([links[:1], np.swapaxes(links[:0:-1], 1, 2)])


@compiled
def _sweep(costs: np.ndarray, links: np.ndarray) -> np.ndarray:
    """The least cost (F, K) of a path that ends in a state."""
    total = costs.copy()
    for f in range(1, len(costs)):
        for k in range(costs.shape[1]):
            best = np.inf
            for i in range(costs.shape[1]):
                best = min(best, total[f - 1, i] + links[f, i, k])
            total[f, k] += best
    return total


@compiled
def _traced(total: np.ndarray, links: np.ndarray) -> np.ndarray:
    """The states of the path that ends in the cheapest last state."""
    chosen = np.empty(len(total), np.int64)
    chosen[-1] = total[-1].argmin()
    for f in range(len(total) - 1, 0, -1):
        best = np.inf
        for i in range(total.shape[1]):
            cost = total[f - 1, i] + links[f, i, chosen[f]]
            if cost < best:
                best, chosen[f - 1] = cost, i
    return chosen
