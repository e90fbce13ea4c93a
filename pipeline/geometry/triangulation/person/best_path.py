"""The most plausible sequence of hypotheses about a body over time, and how much worse the alternatives are.

Each frame has a few hypotheses: a cost, and the body's joints. Between frames a body moves by what its speed allows; a
body that leaps costs as much as LEAP. A hypothesis without joints ("nothing is known in this frame") keeps the joints
of the frame before it. Viterbi's algorithm, forwards and backwards, gives the best path and, for every hypothesis, the
cost of the best path through it.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pipeline.compiled import compiled
from pipeline.shapes import check_shapes


@dataclass(frozen=True)
class Motion:
    """What a body can do between two frames; lengths in the unit of the joints."""

    noise: float  # standard deviation of a joint's distance from itself in two frames, without motion
    step: float  # standard deviation of a joint's motion from one frame to the next
    leap: float  # largest cost of a motion


@dataclass(frozen=True)
class Path:
    """The best path through the hypotheses."""

    chosen: Int[np.ndarray, " frame"]  # index of the hypothesis of each frame
    excess: Float[np.ndarray, "frame hypothesis"]  # cost of the best path through a hypothesis, less the best cost


@check_shapes()
def best_path(
    costs: Float[np.ndarray, "frame hypothesis"], joints: Float[np.ndarray, "frame hypothesis joint 3"], motion: Motion
) -> Path:
    """The sequence of hypotheses with the least sum of costs; infinite costs mark hypotheses that do not exist.

    The cost of a motion is half the mean squared distance of the joints in standard deviations, each at most `leap`.
    Missing joints are NaN. Raises ValueError for shapes that do not fit.
    """
    if not len(costs):
        return Path(np.zeros(0, int), np.zeros(costs.shape))
    cost, body = np.ascontiguousarray(costs, float), np.ascontiguousarray(joints, float)
    limits = motion.noise**2, motion.step, motion.leap
    ahead, came_from = _sweep(cost, body, *limits)
    behind, _ = _sweep(cost[::-1].copy(), body[::-1].copy(), *limits)
    chosen = np.empty(len(cost), int)
    chosen[-1] = ahead[-1].argmin()
    for f in range(len(cost) - 1, 0, -1):
        chosen[f - 1] = came_from[f, chosen[f]]
    # The two sweeps treat frames without joints differently, so their sum is compared with its own minimum.
    through = np.where(np.isfinite(cost), ahead + behind[::-1] - np.where(np.isfinite(cost), cost, 0.0), np.inf)
    return Path(chosen, through - np.take_along_axis(through, chosen[:, None], 1))


@compiled
def _sweep(
    costs: np.ndarray, joints: np.ndarray, noise2: float, step: float, leap: float
) -> tuple[np.ndarray, np.ndarray]:
    """The least cost (F, K) of a path that ends in a hypothesis, and the hypothesis before it on that path."""
    n_frames, n, n_joints, _ = joints.shape
    total, came_from = np.full((n_frames, n), np.inf), np.zeros((n_frames, n), np.int64)
    # The last known joints on the path to each hypothesis, and the number of frames since.
    last, age = joints[0].copy(), np.ones(n)
    moved, aged = np.empty_like(last), np.empty(n)
    total[0] = costs[0]
    for f in range(1, n_frames):
        for k in range(n):
            best, source = np.inf, 0
            if costs[f, k] < np.inf:
                for i in range(n):
                    if total[f - 1, i] < best:
                        cost = total[f - 1, i] + _motion_cost(last[i], joints[f, k], age[i], noise2, step, leap)
                        if cost < best:
                            best, source = cost, i
            total[f, k], came_from[f, k] = best + costs[f, k], source
            is_known = False
            for j in range(n_joints):
                is_known |= np.isfinite(joints[f, k, j, 0])
            moved[k] = joints[f, k] if is_known else last[source]
            aged[k] = 1.0 if is_known else age[source] + 1
        last, moved, age, aged = moved, last, aged, age
    return total, came_from


@compiled
def _motion_cost(a: np.ndarray, b: np.ndarray, age: float, noise2: float, step: float, leap: float) -> float:
    inverse = 0.5 / (noise2 + (step * age) ** 2)
    cost, count = 0.0, 0
    for j in range(len(a)):
        d2 = 0.0
        for i in range(3):
            d2 += (a[j, i] - b[j, i]) ** 2
        if d2 >= 0:
            cost += min(d2 * inverse, leap)
            count += 1
    return cost / count if count else 0.0
