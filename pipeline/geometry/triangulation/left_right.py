"""Left and right that a detector exchanged: found where the views contradict each other.

A detector that takes a person's left for the right does so in one view and not in the others, for the whole body, for
the arms or the legs, or for one pair of joints. The joints of a pair are therefore solved together, over all views and
both ways of naming them in each: two places that the views agree on. Then the names are chosen, for all pairs of a
frame at once. Where as many views say one thing as the other, the body decides, and the frames before and after.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.ndimage import correlate1d

from pipeline.geometry.array_layout import as_captured, as_floats, rig_of_each
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.geometry.triangulation.left_right_kernel import add_costs
from pipeline.skeleton import BONES, JOINTS, LEFT_JOINTS, MIRROR, joint

RIGHT_JOINTS = MIRROR[LEFT_JOINTS]
PAIRS = [JOINTS[j][2:] for j in LEFT_JOINTS]
# All ways to exchange some of the pairs, (64, 6), by number.
CODES = np.arange(2 ** len(PAIRS))
PATTERNS = (CODES[:, None] >> np.arange(len(PAIRS)) & 1).astype(bool)
# Costs are -2 log likelihood, as squared residuals in standard deviations are: this much must be saved before the names
# in a view are doubted, those of one pair or of the pairs that detectors exchange together.
DOUBT = 10.0
TOGETHER = (PAIRS, ["hip", "knee", "ankle"], ["shoulder", "elbow", "wrist"])
# What is saved in all over the triangulation as named, for each view in which a pair is exchanged.
LEAST_GAIN = 7.0
# What an exchanged joint may still cost, about four standard deviations: an outlier that fits no better stays.
MOST_COST = 10.0
# A frame is searched where exchanging would save so much in a view, or where two views of a pair cost so much.
SUSPICIOUS_GAIN, SUSPICIOUS_COST = 4.0, 6.6
# Bones off by this share of their length cost 1, at most so much; hips and shoulders that face opposite ways so much.
BONE_TOLERANCE, MOST_BONE_COST, TWIST_COST = 0.1, 25.0, 12.0
LIMBS = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
# Frames before and after that have a say where names are open, after how many it fades, and what it may cost.
CONTEXT, CONTEXT_FADES, CONTEXT_COST = 8, 3.0, 10.0
# By how much the best names of a frame must be better than others to have a say in other frames.
SURE = 20.0
FRAMES_PER_BLOCK = 1024
# With many views not all pairs of them start a search, only so many, spread evenly over all.
MOST_STARTS = 36


@dataclass(frozen=True)
class _Search:
    """What the views agree on, whatever the names."""

    places: np.ndarray  # (F, 6, 2, 3) of each pair; left and right in the frames that were not searched
    frames: np.ndarray  # (S,) that were searched
    costs: np.ndarray  # (S, 2, 2, V, 6) of both joints in each view, if it names the places as they stand, or not
    as_named: np.ndarray  # (S, 6, 2, 3) the joints triangulated with the names given
    cost_as_named: np.ndarray  # (S, 6)


def find_swapped(
    points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray, lengths: np.ndarray
) -> np.ndarray:
    """Where left and right are exchanged, (F, J, V): that view's joint is the one named after the other side.

    Rays (F, J, V, 2) of successive frames with standard deviation sigma (F, J, V), infinite where not seen; one rig
    R (1, V, 3, 3), or one per frame. `lengths` (16,) are the person's bones in the rig's unit, NaN where not known.
    Frames whose views agree are left as they are; a frame's result depends on CONTEXT frames before and after it alone.
    """
    found = np.zeros(sigma.shape, bool)
    search = _search(points_norm, sigma, R, t)
    if len(search.frames):
        both = np.moveaxis(_named(search, lengths), 1, 2)
        found[search.frames[:, None], LEFT_JOINTS] = found[search.frames[:, None], RIGHT_JOINTS] = both
    return found


def swap_left_right(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The values (F, J, V, ...) with those of the mirrored joint in the places `where` (F, J, V)."""
    return np.where(where.reshape(where.shape + (1,) * (values.ndim - 3)), values[:, MIRROR], values)


def _named(search: _Search, lengths: np.ndarray) -> np.ndarray:
    """Which pairs each view of the frames searched has exchanged, (S, V, 6)."""
    places = search.places[search.frames]
    views = _by_pattern(*np.moveaxis(search.costs.sum(2), 1, 0))  # (S, V, 64)
    # The names of the places are open: a flip exchanges those of some pairs, for all views.
    by_flip = np.stack([(views + PATTERN_COSTS[CODES ^ flip]).min(-1).sum(-1) for flip in CODES], -1)
    by_flip += _body_costs(places, lengths)
    flip = (by_flip + _context_costs(search, by_flip)).argmin(-1)
    other = (views + PATTERN_COSTS[CODES ^ flip[:, None, None]]).argmin(-1)  # (S, V) how each names the places
    costs = np.where(PATTERNS[other][:, None], search.costs[:, 1], search.costs[:, 0])  # (S, 2, V, 6)
    found = PATTERNS[other ^ flip[:, None]] & (costs.max(1) < MOST_COST)
    # Two wrong joints may agree by chance: exchanging has to pay in all, the body's proportions included.
    after = np.where(PATTERNS[flip][..., None, None], places[:, :, ::-1], places)
    gain = search.cost_as_named + _misfit(search.as_named, lengths) - costs.sum((1, 2)) - _misfit(after, lengths)
    return found & (gain > LEAST_GAIN * found.sum(1))[:, None]


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
    """The two places (F, 6, 2, 3) of each pair that fit the views best if each may name them either way.

    They start from two views, or from the places `as_named`; NaN where no two views saw both joints.
    """
    best_places = np.where(np.isfinite(as_named).all((-1, -2), keepdims=True), as_named, np.nan)
    best = np.where(
        np.isfinite(best_places).all((-1, -2)), _costs(points_norm, sigma, R, t, best_places)[0].sum((1, -1)), np.inf
    )
    for a, b in _starts(points_norm.shape[2]):
        for crossed in (False, True):
            where = np.array([[[False, crossed]]])
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
    return [every[i] for i in linspace_indices(len(every), MOST_STARTS)]


def _both(
    method: Callable[..., np.ndarray], points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray
) -> np.ndarray:
    """Left and right joint of each pair, triangulated, (F, 6, 2, 3)."""
    points = method(points_norm, sigma, R, t)
    return np.stack([points[:, LEFT_JOINTS], points[:, RIGHT_JOINTS]], 2)


def _costs(points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Cost (2, F, 2, 6, V) of both joints' rays if they show the places (F, 6, 2, 3) as named, and otherwise."""
    x, s = as_captured(points_norm, axis=-3), as_captured(sigma, axis=-2)
    costs = np.empty((2, len(x), 2, len(PAIRS), x.shape[1]))
    add_costs(x, s, *rig_of_each(R, t, points_norm.shape[:1]), as_floats(places), costs)
    return costs


def _by_pattern(no: np.ndarray, yes: np.ndarray) -> np.ndarray:
    """The costs (..., 64) of each pattern from those of its pairs (..., 6), not exchanged and exchanged."""
    pairs = [np.where(PATTERNS[:, p], yes[..., p, None], no[..., p, None]) for p in range(len(PAIRS))]
    return np.sum(pairs, axis=0)


def _pattern_costs() -> np.ndarray:
    """The cost (64,) of exchanging a pattern in a view: that of pairs exchanged together, and of what is then left."""
    together = [PATTERNS ^ np.isin(PAIRS, names) for names in TOGETHER]
    return DOUBT * np.min([PATTERNS.sum(1), *(1 + rest.sum(1) for rest in together)], axis=0)


PATTERN_COSTS = _pattern_costs()


def _limb_costs(places: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Cost (F, 4, 2) of the lengths of the LIMBS, both sides, if the names of their ends go together, and if not."""
    costs = np.zeros((len(places), len(LIMBS), 2))
    for limb, (upper, lower) in enumerate(LIMBS):
        for side, name in enumerate("lr"):
            length = lengths[np.flatnonzero(BONES[:, 1] == joint(f"{name}_{lower}"))[0]]
            for crossed in (0, 1):
                bone = places[:, PAIRS.index(upper), side] - places[:, PAIRS.index(lower), side ^ crossed]
                off = (np.linalg.norm(bone, axis=-1) / length - 1) / BONE_TOLERANCE
                costs[:, limb, crossed] += np.nan_to_num(np.minimum(off**2, MOST_BONE_COST))
    return costs


def _misfit(places: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Cost (F, 6) of the lengths of the limbs that meet at each pair, named as the places are."""
    costs = _limb_costs(places, lengths)[..., 0]
    return costs @ np.array([[float(pair in limb) for pair in PAIRS] for limb in LIMBS])


def _body_costs(places: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Cost (F, 64) of exchanging the names of places: limbs of a wrong length, hips that face unlike the shoulders."""
    # Ties go to the names as they stand.
    total = np.zeros((len(places), 1)) + 1e-3 * PATTERNS.sum(1)
    limbs = _limb_costs(places, lengths)
    for limb, (upper, lower) in enumerate(LIMBS):
        crossed = PATTERNS[:, PAIRS.index(upper)] ^ PATTERNS[:, PAIRS.index(lower)]
        total += np.where(crossed, limbs[:, limb, 1:], limbs[:, limb, :1])
    hips, shoulders = (
        places[:, PAIRS.index(name), 0] - places[:, PAIRS.index(name), 1] for name in ("hip", "shoulder")
    )
    turned = PATTERNS[:, PAIRS.index("hip")] ^ PATTERNS[:, PAIRS.index("shoulder")]
    facing = np.einsum("fi,fi->f", hips, shoulders)[:, None] * np.where(turned, -1.0, 1.0)
    return total + np.where(facing < 0, TWIST_COST, 0.0)


def _context_costs(search: _Search, by_flip: np.ndarray) -> np.ndarray:
    """Cost (S, 64) of exchanging the names of places against what the frames around say, as far as these agree."""
    axes = search.places[:, :, 0] - search.places[:, :, 1]
    axes /= np.maximum(np.linalg.norm(axes, axis=-1, keepdims=True), 1e-9)
    sign = np.ones(axes.shape[:2])
    sign[search.frames] = _sure_signs(by_flip)
    reported = np.nan_to_num(axes * sign[..., None])
    apart = np.abs(np.arange(-CONTEXT, CONTEXT + 1))
    weights = np.where(apart == 0, 0.0, np.exp(-apart / CONTEXT_FADES))
    # The last number of each sums how many had a say: unit vectors that agree add up to it.
    reported = np.concatenate([reported, (reported != 0).any(-1, keepdims=True)], -1)
    around = correlate1d(reported, weights, axis=0, mode="constant")[search.frames]
    agreement = np.linalg.norm(around[..., :3], axis=-1) / np.maximum(around[..., 3], 1e-9)
    cosine = np.einsum("spi,spi->sp", np.nan_to_num(axes[search.frames]), around[..., :3])
    cosine /= np.maximum(np.linalg.norm(around[..., :3], axis=-1), 1e-9)
    weight = CONTEXT_COST * agreement**4 / 2
    return _by_pattern(weight * (1 - cosine), weight * (1 + cosine))


def _sure_signs(by_flip: np.ndarray) -> np.ndarray:
    """What the best flip makes of each pair's direction, (S, 6): 1 or -1, and 0 where others are nearly as good."""
    best = PATTERNS[by_flip.argmin(-1)]
    other = np.where(PATTERNS[None] == best[:, None], np.inf, by_flip[..., None]).min(1)
    sure = other - by_flip.min(-1)[:, None] > SURE
    return np.where(sure, np.where(best, -1.0, 1.0), 0.0)
