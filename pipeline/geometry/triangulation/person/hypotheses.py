"""Finds the views that show the person in each frame, and those that show somebody else.

A detector that marks one person per image may mark another one in some views. Joint by joint, a robust triangulation
would then mix people. So views are chosen for the whole body: a hypothesis is a set of views whose detections agree on
most joints. It costs what its views disagree, a fixed amount for each view that it leaves out, and what its bones
differ from the person's own. The sequence of hypotheses over time is the one with the least cost in which the person
does not leap. Where several people are known to be in view, views must agree more closely.
"""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float

from pipeline.geometry.camera.reprojection import residuals
from pipeline.geometry.frame_sampling import linspace_indices
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.geometry.triangulation.left_right import swap_left_right
from pipeline.shapes import check_shapes
from pipeline.skeleton import MIRROR, N_JOINTS

# Scale of the robust cost of a joint in standard deviations; the largest cost is its square.
WIDTH = 5.0
# Cost of a view that a hypothesis leaves out.
LEFT_OUT = 12.0
# A view with fewer joints says nothing about whom it shows.
MIN_JOINTS = 5
# The largest number of pairs of views that a search starts from, and of hypotheses that are kept for a frame.
MAX_STARTS, MAX_HYPOTHESES = 36, 8
FRAMES_PER_BLOCK = 512


@dataclass(frozen=True)
class Agreement:
    """How far views may differ on a body; mean robust costs of the joints that a view sees."""

    agrees: float  # a view below this belongs to a hypothesis
    suspicious: float  # frames in which every view costs less are not searched
    noise: float  # a view below this costs nothing, so that errors that last cannot outweigh other evidence


# About half of a view's joints may be outliers.
USUAL = Agreement(agrees=12.0, suspicious=9.0, noise=4.0)
# With several people in view: about a tenth. Views of different people rarely agree so well by chance.
STRICT = Agreement(agrees=3.0, suspicious=2.0, noise=1.0)


@dataclass(frozen=True)
class Hypotheses:
    """Hypotheses about which views of a frame show one person."""

    views: Bool[np.ndarray, "frame hypothesis view"]
    costs: Float[np.ndarray, "frame hypothesis"]  # infinite: no such hypothesis
    joints: Float[np.ndarray, "frame hypothesis joint 3"]  # NaN where unknown
    tells: Bool[np.ndarray, "frame view"]  # views that see enough of a person

    @classmethod
    def joined(cls, parts: "list[Hypotheses]") -> "Hypotheses":
        """The hypotheses of successive blocks of frames."""
        names = ("views", "costs", "joints", "tells")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def taken(self, frames: slice) -> "Hypotheses":
        """The hypotheses of some of the frames."""
        return Hypotheses(self.views[frames], self.costs[frames], self.joints[frames], self.tells[frames])

    def only(self, frame: int, k: int) -> "Hypotheses":
        """One hypothesis of a frame as the only one."""
        one = self.taken(slice(frame, frame + 1))
        return replace(one, costs=np.where(np.arange(one.costs.shape[1]) == k, one.costs, np.inf))


@check_shapes(no_inf=("points_norm", "R", "t"))
def find_hypotheses(
    points_norm: Float[np.ndarray, "frame joint=17 view 2"],
    sigma: Float[np.ndarray, "frame joint=17 view"],
    R: Float[np.ndarray, "rig view 3 3"],
    t: Float[np.ndarray, "rig view 3"],
    agreement: Agreement = USUAL,
) -> Hypotheses:
    """The sets of views of each frame that agree on a body, whichever way round each view names left and right.

    The last hypothesis of each frame is that no views agree. `sigma` is the standard deviation of an image point,
    infinite where not seen. Where all views agree, theirs is the only other hypothesis. Raises ValueError for shapes
    that do not fit and for infinite values other than those of sigma.
    """
    blocks = [np.arange(at, min(at + FRAMES_PER_BLOCK, len(sigma))) for at in range(0, len(sigma), FRAMES_PER_BLOCK)]
    each = len(R) > 1
    parts = [_in_block(points_norm[b], sigma[b], R[b] if each else R, t[b] if each else t, agreement) for b in blocks]
    return Hypotheses.joined(parts)


def telling_views(points_norm: np.ndarray, sigma: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The views (F, V) that see enough of a person, and sigma (F, J, V), infinite without a point or extrinsics."""
    able = np.isfinite(sigma) & np.isfinite(points_norm).all(-1) & np.isfinite(t).all(-1)[:, None]
    return able.sum(1) >= MIN_JOINTS, np.where(able, sigma, np.inf)


def _in_block(
    points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray, agreement: Agreement
) -> Hypotheses:
    n_frames, _, n_views = sigma.shape
    tells, sigma = telling_views(points_norm, sigma, t)
    found = Hypotheses(
        np.zeros((n_frames, MAX_HYPOTHESES + 1, n_views), bool),
        np.full((n_frames, MAX_HYPOTHESES + 1), np.inf),
        np.full((n_frames, MAX_HYPOTHESES + 1, N_JOINTS, 3), np.nan, np.float32),
        tells,
    )
    points = triangulation.robust(points_norm, sigma, R, t)
    costs, _ = view_costs(points, points_norm, sigma, R, t)
    found.views[:, 0], found.joints[:, 0] = tells, points
    found.costs[:, 0] = np.where(tells.sum(1) >= 2, _total(costs, tells, tells, agreement), np.inf)
    suspicious = (tells & (costs > agreement.suspicious)).any(1) | (tells.sum(1) < 2)
    found.costs[suspicious, -1] = LEFT_OUT * tells[suspicious].sum(1)
    searched = np.flatnonzero(suspicious & (tells.sum(1) >= 2))
    if len(searched):
        pose = (R[searched], t[searched]) if len(R) > 1 else (R, t)
        views, cost, joints = _search(points_norm[searched], sigma[searched], *pose, agreement)
        found.views[searched, :-1], found.costs[searched, :-1], found.joints[searched, :-1] = views, cost, joints
    return found


def _search(
    points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray, agreement: Agreement
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The best hypotheses (S, K) of frames: views (S, K, V), costs and joints (S, K, J, 3)."""
    every = list(combinations(range(sigma.shape[2]), 2))
    tried = []
    for a, b in (every[i] for i in linspace_indices(len(every), MAX_STARTS)):
        for swapped in (False, True):
            where = np.array([[[False, swapped]]])
            x, s = (swap_left_right(values[:, :, [a, b]], where) for values in (points_norm, sigma))
            points = triangulation.linear(x, s, R[:, [a, b]], t[:, [a, b]])
            tried.append(_grown(points, points_norm, sigma, R, t, agreement))
    views, costs, joints = (np.stack(arrays, 1) for arrays in zip(*tried, strict=True))
    return _distinct(views, costs, joints)


def _grown(
    points: np.ndarray, points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray, agreement: Agreement
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The views that agree with the points (S, J, 3), what they cost, and the points from these views."""
    tells = (np.isfinite(sigma) & np.isfinite(points_norm).all(-1)).sum(1) >= MIN_JOINTS
    costs, swapped = view_costs(points, points_norm, sigma, R, t)
    views = tells & (costs < agreement.agrees)
    for _ in range(2):
        x, s = (swap_left_right(values, swapped) for values in (points_norm, sigma))
        points = triangulation.robust(x, np.where(views[:, None], s, np.inf), R, t)
        costs, swapped = view_costs(points, points_norm, sigma, R, t)
        views = tells & (costs < agreement.agrees)
    return views, np.where(views.sum(1) >= 2, _total(costs, views, tells, agreement), np.inf), points


def _total(costs: np.ndarray, views: np.ndarray, tells: np.ndarray, agreement: Agreement) -> np.ndarray:
    """Cost (S,) of a hypothesis: what its views cost beyond noise, and LEFT_OUT for each view that it leaves out."""
    inside = np.maximum(costs - agreement.noise, 0.0) * LEFT_OUT / (agreement.agrees - agreement.noise)
    return np.asarray(np.where(views, inside, np.where(tells, LEFT_OUT, 0.0)).sum(1))


def _distinct(views: np.ndarray, costs: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The best of the hypotheses with each set of views, at most MAX_HYPOTHESES.

    Hypotheses come in pairs that differ in whether the second view swaps left and right. Two views alone often allow
    both, so both are kept.
    """
    order = np.argsort(costs, axis=1, kind="stable")
    views, costs, joints = (
        np.take_along_axis(a, order.reshape(*order.shape, *[1] * (a.ndim - 2)), 1) for a in (views, costs, joints)
    )
    few, side = views.sum(-1) <= 2, order % 2
    same = (views[:, :, None] == views[:, None]).all(-1) & (~few[:, None] | (side[:, :, None] == side[:, None]))
    repeated = (same & np.tri(order.shape[1], k=-1, dtype=bool)).any(-1)
    costs = np.where(repeated, np.inf, costs)
    best = np.argsort(costs, axis=1, kind="stable")[:, :MAX_HYPOTHESES]
    kept = [np.take_along_axis(a, best.reshape(*best.shape, *[1] * (a.ndim - 2)), 1) for a in (views, costs, joints)]
    missing = MAX_HYPOTHESES - best.shape[1]
    fill = (False, np.inf, np.nan)
    padded = [
        np.pad(a, [(0, 0), (0, missing)] + [(0, 0)] * (a.ndim - 2), constant_values=value)
        for a, value in zip(kept, fill, strict=True)
    ]
    return padded[0], padded[1], padded[2]


def view_costs(
    points: np.ndarray, points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean robust cost (F, V) of the joints that each view sees, and where their names are swapped (F, J, V).

    A pair of joints is taken with the names that cost less. A view without joints to compare costs LEFT_OUT.
    """
    named, other = (_joint_costs(x, points_norm, sigma, R, t) for x in (points, points[:, MIRROR]))
    both, both_other = (np.nan_to_num(c) + np.nan_to_num(c[:, MIRROR]) for c in (named, other))
    known = np.isfinite(named) & np.isfinite(other)
    swapped = (both_other < both) & known & known[:, MIRROR]
    cost = np.where(swapped, other, named)
    count = np.isfinite(cost).sum(1)
    mean = np.where(count >= MIN_JOINTS, np.nansum(cost, axis=1) / np.maximum(count, 1), LEFT_OUT)
    return mean, swapped


def _joint_costs(
    points: np.ndarray, points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray
) -> np.ndarray:
    """Robust cost (F, J, V) of each image point (Geman and McClure); NaN where not seen or without a point."""
    distance, _ = residuals(points, points_norm, R, t)
    share = np.square(distance / (WIDTH * sigma))
    with np.errstate(invalid="ignore"):
        cost = WIDTH**2 * np.where(np.isinf(distance), 1.0, share / (1 + share))
    return np.where(np.isfinite(sigma) & ~np.isnan(distance), cost, np.nan)
