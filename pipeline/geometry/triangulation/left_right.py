"""Finds detections with swapped left and right, from contradictions between the views.

A detector usually swaps left and right in one view only: for the whole body, for the arms or the legs, or for one pair
of joints. The joints of a pair are therefore triangulated together, over all views and both assignments of names in
each view. The result is two 3D positions, called places here, on which the views agree. Then the places are named left
and right, for all pairs of a frame at once. Ties between views are broken by bone lengths, then by the
neighbouring frames.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float, Shaped
from scipy.ndimage import correlate1d

from pipeline.geometry.array_layout import as_captured, as_floats, rig_of_each
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.geometry.triangulation.left_right_kernel import add_costs
from pipeline.shapes import check_shapes
from pipeline.skeleton import BONES, JOINTS, LEFT_JOINTS, MIRROR, joint

RIGHT_JOINTS = MIRROR[LEFT_JOINTS]
PAIRS = [JOINTS[j][2:] for j in LEFT_JOINTS]
# All 64 combinations of swapped pairs, as codes and as patterns (64, 6).
CODES = np.arange(2 ** len(PAIRS))
PATTERNS = (CODES[:, None] >> np.arange(len(PAIRS)) & 1).astype(bool)
# Costs are -2 log likelihoods, like squared residuals in standard deviations. DOUBT is the cost of a swap in a view, of
# one pair or of pairs that detectors swap together.
DOUBT = 10.0
TOGETHER = (PAIRS, ["hip", "knee", "ankle"], ["shoulder", "elbow", "wrist"])
# For each view in which a pair is swapped, the cost must be lower than with the given names by at least this.
MIN_GAIN = 7.0
# The largest cost of a swapped joint, about four standard deviations, so that an outlier that fits neither name keeps
# its name.
MAX_COST = 10.0
# A frame is searched if a swap would lower the cost of a view by the first, or if two views of a pair cost the second.
SUSPICIOUS_GAIN, SUSPICIOUS_COST = 4.0, 6.6
# Cost of a bone: 1 if its length is off by BONE_TOLERANCE, at most MAX_BONE_COST. TWIST_COST is the cost of hips and
# shoulders that face in opposite directions.
BONE_TOLERANCE, MAX_BONE_COST, TWIST_COST = 0.1, 25.0, 12.0
LIMBS = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
# Number of frames before and after a frame that break ties, the decay of their weight in frames, and their cost.
CONTEXT, CONTEXT_FADES, CONTEXT_COST = 8, 3.0, 10.0
# The best names of a frame influence other frames if their cost is lower than the cost of other names by at least this.
SURE = 20.0
FRAMES_PER_BLOCK = 1024
# The largest number of pairs of views that a search starts from, spread evenly over all pairs.
MAX_STARTS = 36


@dataclass(frozen=True)
class _Search:
    """The places on which the views agree, and the costs of naming them."""

    places: np.ndarray  # (F, 6, 2, 3) of each pair; left and right in frames that were not searched
    frames: np.ndarray  # (S,) frames that were searched
    costs: np.ndarray  # (S, 2, 2, V, 6): names of the places unchanged or swapped; left and right joint
    as_named: np.ndarray  # (S, 6, 2, 3) joints triangulated with the given names
    cost_as_named: np.ndarray  # (S, 6)


@check_shapes(no_inf=("points_norm", "R", "t", "lengths"))
def find_swapped(
    points_norm: Float[np.ndarray, "frame joint=17 view 2"],
    sigma: Float[np.ndarray, "frame joint=17 view"],
    R: Float[np.ndarray, "rig view 3 3"],
    t: Float[np.ndarray, "rig view 3"],
    lengths: Float[np.ndarray, "bone=16"],
) -> Bool[np.ndarray, "frame joint=17 view"]:
    """Find where left and right are swapped: there the view's detection has the name of the other side.

    The normalised image points are those of successive frames, sigma their standard deviation, infinite where not seen;
    there is one rig, or one for each frame. `lengths` are the person's bone lengths in the rig's unit, NaN if unknown.
    Frames whose views agree keep their names. A frame's result depends only on the CONTEXT frames before and after it.
    Raises ValueError for shapes that do not fit and for infinite values other than those of sigma.
    """
    if len(R) not in (1, len(points_norm)):
        raise ValueError(f"find_swapped: {len(R)} rigs for {len(points_norm)} frames; give one, or one for each frame.")
    found = np.zeros(sigma.shape, bool)
    search = _search(points_norm, sigma, R, t)
    if len(search.frames):
        both = np.moveaxis(_named(search, lengths), 1, 2)
        found[search.frames[:, None], LEFT_JOINTS] = found[search.frames[:, None], RIGHT_JOINTS] = both
    return found


@check_shapes()
def swap_left_right(
    values: Shaped[np.ndarray, "frame joint view *of_each"], where: Bool[np.ndarray, "#frame #joint #view"]
) -> Shaped[np.ndarray, "frame joint view *of_each"]:
    """Take the values of the mirrored joint where `where` is true. Raises ValueError for shapes that do not fit."""
    return np.where(where.reshape(where.shape + (1,) * (values.ndim - 3)), values[:, MIRROR], values)


def _named(search: _Search, lengths: np.ndarray) -> np.ndarray:
    """Which pairs each view of the searched frames has swapped, (S, V, 6)."""
    places = search.places[search.frames]
    views = _by_pattern(*np.moveaxis(search.costs.sum(2), 1, 0))  # (S, V, 64)
    # The names of the places are unknown too: a flip swaps the names of some pairs for all views.
    by_flip = np.stack([(views + PATTERN_COSTS[CODES ^ flip]).min(-1).sum(-1) for flip in CODES], -1)
    by_flip += _body_costs(places, lengths)
    flip = (by_flip + _context_costs(search, by_flip)).argmin(-1)
    other = (views + PATTERN_COSTS[CODES ^ flip[:, None, None]]).argmin(-1)  # (S, V) pattern of each view's names
    costs = np.where(PATTERNS[other][:, None], search.costs[:, 1], search.costs[:, 0])  # (S, 2, V, 6)
    found = PATTERNS[other ^ flip[:, None]] & (costs.max(1) < MAX_COST)
    # Two wrong joints may agree by chance, so swaps must lower the total cost, including the cost of body proportions.
    after = np.where(PATTERNS[flip][..., None, None], places[:, :, ::-1], places)
    gain = search.cost_as_named + _misfit(search.as_named, lengths) - costs.sum((1, 2)) - _misfit(after, lengths)
    return found & (gain > MIN_GAIN * found.sum(1))[:, None]


def _search(points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray) -> _Search:
    places = np.empty((len(points_norm), len(PAIRS), 2, 3))
    empty = np.zeros((0, 2, 2, sigma.shape[2], len(PAIRS)))
    found = [(np.zeros(0, int), empty, places[:0], empty[:, 0, 0, 0])]
    for start in range(0, len(points_norm), FRAMES_PER_BLOCK):
        block = np.arange(start, min(start + FRAMES_PER_BLOCK, len(points_norm)))
        poses = _rows(R, t, block)
        places[block] = _both(triangulation.robust, points_norm[block], sigma[block], *poses)
        costs = _costs(points_norm[block], sigma[block], *poses, places[block])
        suspicious = np.flatnonzero(_suspicious(*costs.sum(2)))
        if len(suspicious):
            frames, poses = block[suspicious], _rows(*poses, suspicious)
            as_named, cost = places[frames], costs[0, suspicious].sum((1, 3))
            places[frames] = _agreed_places(points_norm[frames], sigma[frames], *poses, as_named)
            costs = _costs(points_norm[frames], sigma[frames], *poses, places[frames])
            found.append((frames, np.moveaxis(costs, (0, -1), (1, 3)), as_named, cost))
    return _Search(places, *(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _rows(R: np.ndarray, t: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (R, t) if len(R) == 1 else (R[rows], t[rows])


def _suspicious(as_named: np.ndarray, other_way: np.ndarray) -> np.ndarray:
    """Whether the views of a frame contradict each other, (F,), from the costs (F, 6, V)."""
    missed = (as_named > SUSPICIOUS_COST).sum(-1) >= 2
    return (missed | (as_named - other_way > SUSPICIOUS_GAIN).any(-1)).any(-1)


def _agreed_places(
    points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray, as_named: np.ndarray
) -> np.ndarray:
    """The two places (F, 6, 2, 3) of each pair that fit the views best, with either assignment of names in each view.

    The search starts from pairs of views and from the places `as_named`; NaN if no two views saw both joints.
    """
    best_places = np.where(np.isfinite(as_named).all((-1, -2), keepdims=True), as_named, np.nan)
    best = np.where(
        np.isfinite(best_places).all((-1, -2)), _costs(points_norm, sigma, R, t, best_places)[0].sum((1, -1)), np.inf
    )
    for a, b in _starts(points_norm.shape[2]):
        for swapped in (False, True):
            where = np.array([[[False, swapped]]])
            x, s = (swap_left_right(values[:, :, [a, b]], where) for values in (points_norm, sigma))
            places = _both(triangulation.linear, x, s, R[:, [a, b]], t[:, [a, b]])
            named, other_way = _costs(points_norm, sigma, R, t, places).sum(2)
            either = [np.minimum(x, y + DOUBT).sum(-1) for x, y in ((named, other_way), (other_way, named))]
            cost = np.where(np.isfinite(places).all((-1, -2)), np.minimum(*either), np.inf)
            best_places = np.where((cost < best)[..., None, None], places, best_places)
            best = np.minimum(best, cost)
    named, other_way = _costs(points_norm, sigma, R, t, best_places).sum(2)
    where = np.zeros(sigma.shape, bool)
    where[:, LEFT_JOINTS] = where[:, RIGHT_JOINTS] = other_way < named
    refined = _both(triangulation.robust, swap_left_right(points_norm, where), swap_left_right(sigma, where), R, t)
    return np.where(np.isfinite(best_places), refined, np.nan)


def _starts(n_views: int) -> list[tuple[int, int]]:
    every = list(combinations(range(n_views), 2))
    return [every[i] for i in linspace_indices(len(every), MAX_STARTS)]


def _both(
    method: Callable[..., np.ndarray], points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray
) -> np.ndarray:
    """Left and right joint of each pair, triangulated, (F, 6, 2, 3)."""
    points = method(points_norm, sigma, R, t)
    return np.stack([points[:, LEFT_JOINTS], points[:, RIGHT_JOINTS]], 2)


def _costs(points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Cost (2, F, 2, 6, V) of the image points of both joints, with the places (F, 6, 2, 3) as named and swapped."""
    x, s = as_captured(points_norm, axis=-3), as_captured(sigma, axis=-2)
    costs = np.empty((2, len(x), 2, len(PAIRS), x.shape[1]))
    add_costs(x, s, *rig_of_each(R, t, points_norm.shape[:1]), as_floats(places), costs)
    return costs


def _by_pattern(no: np.ndarray, yes: np.ndarray) -> np.ndarray:
    """The costs (..., 64) of all patterns from the costs of the pairs (..., 6), not swapped and swapped."""
    pairs = [np.where(PATTERNS[:, p], yes[..., p, None], no[..., p, None]) for p in range(len(PAIRS))]
    return np.sum(pairs, axis=0)


def _pattern_costs() -> np.ndarray:
    """The cost (64,) of each pattern of swaps in a view: DOUBT for pairs swapped together and for each other pair."""
    together = [PATTERNS ^ np.isin(PAIRS, names) for names in TOGETHER]
    return DOUBT * np.min([PATTERNS.sum(1), *(1 + rest.sum(1) for rest in together)], axis=0)


PATTERN_COSTS = _pattern_costs()


def _limb_costs(places: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Cost (F, 4, 2) of the lengths of the LIMBS of both sides: both or no ends swapped, and one end swapped."""
    costs = np.zeros((len(places), len(LIMBS), 2))
    for limb, (upper, lower) in enumerate(LIMBS):
        for side, name in enumerate("lr"):
            length = lengths[np.flatnonzero(BONES[:, 1] == joint(f"{name}_{lower}"))[0]]
            for one_swapped in (0, 1):
                bone = places[:, PAIRS.index(upper), side] - places[:, PAIRS.index(lower), side ^ one_swapped]
                off = (np.linalg.norm(bone, axis=-1) / length - 1) / BONE_TOLERANCE
                costs[:, limb, one_swapped] += np.nan_to_num(np.minimum(off**2, MAX_BONE_COST))
    return costs


def _misfit(places: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Cost (F, 6) of the lengths of the limbs that meet at each pair, with the names of the places."""
    costs = _limb_costs(places, lengths)[..., 0]
    return costs @ np.array([[float(pair in limb) for pair in PAIRS] for limb in LIMBS])


def _body_costs(places: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Cost (F, 64) of swapping the names of places: limbs of a wrong length, hips facing away from the shoulders."""
    # A small cost of each swap, so that ties keep the names.
    total = np.zeros((len(places), 1)) + 1e-3 * PATTERNS.sum(1)
    limbs = _limb_costs(places, lengths)
    for limb, (upper, lower) in enumerate(LIMBS):
        one_swapped = PATTERNS[:, PAIRS.index(upper)] ^ PATTERNS[:, PAIRS.index(lower)]
        total += np.where(one_swapped, limbs[:, limb, 1:], limbs[:, limb, :1])
    hips, shoulders = (
        places[:, PAIRS.index(name), 0] - places[:, PAIRS.index(name), 1] for name in ("hip", "shoulder")
    )
    opposed = PATTERNS[:, PAIRS.index("hip")] ^ PATTERNS[:, PAIRS.index("shoulder")]
    facing = np.einsum("fi,fi->f", hips, shoulders)[:, None] * np.where(opposed, -1.0, 1.0)
    return total + np.where(facing < 0, TWIST_COST, 0.0)


def _context_costs(search: _Search, by_flip: np.ndarray) -> np.ndarray:
    """Cost (S, 64) of names that differ from the neighbouring frames'; it grows with the agreement of these frames."""
    axes = search.places[:, :, 0] - search.places[:, :, 1]
    axes /= np.maximum(np.linalg.norm(axes, axis=-1, keepdims=True), 1e-9)
    sign = np.ones(axes.shape[:2])
    sign[search.frames] = _sure_signs(by_flip)
    directions = np.nan_to_num(axes * sign[..., None])
    apart = np.abs(np.arange(-CONTEXT, CONTEXT + 1))
    weights = np.where(apart == 0, 0.0, np.exp(-apart / CONTEXT_FADES))
    # The fourth component sums the weights; unit vectors that all agree have a sum of this length.
    directions = np.concatenate([directions, (directions != 0).any(-1, keepdims=True)], -1)
    around = correlate1d(directions, weights, axis=0, mode="constant")[search.frames]
    agreement = np.linalg.norm(around[..., :3], axis=-1) / np.maximum(around[..., 3], 1e-9)
    cosine = np.einsum("spi,spi->sp", np.nan_to_num(axes[search.frames]), around[..., :3])
    cosine /= np.maximum(np.linalg.norm(around[..., :3], axis=-1), 1e-9)
    weight = CONTEXT_COST * agreement**4 / 2
    return _by_pattern(weight * (1 - cosine), weight * (1 + cosine))


def _sure_signs(by_flip: np.ndarray) -> np.ndarray:
    """The sign that the best flip gives each pair's direction, (S, 6): 1, -1, or 0 if other flips cost hardly more."""
    best = PATTERNS[by_flip.argmin(-1)]
    other = np.where(PATTERNS[None] == best[:, None], np.inf, by_flip[..., None]).min(1)
    sure = other - by_flip.min(-1)[:, None] > SURE
    return np.where(sure, np.where(best, -1.0, 1.0), 0.0)
