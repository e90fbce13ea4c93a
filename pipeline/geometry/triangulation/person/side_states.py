"""What each way of naming left and right costs in frames that two views see.

Of two views, each may have left and right swapped, which makes four states. Without a swap and with both views swapped,
the joints are at the same places, with the names of the other side; with one view swapped they are at other places. A
state costs what the views disagree, what its bones differ from the person's own, and legs and arms that bend the wrong
way. Frames that more views see have one state, as a majority of views contradicts a swap; only those beside frames of
two views matter.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from pipeline.geometry.camera.reprojection import covariance, residuals
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.geometry.triangulation.bone_lengths import lengths_of
from pipeline.geometry.triangulation.left_right import swap_left_right
from pipeline.shapes import check_shapes
from pipeline.skeleton import LIMB_JOINTS, MIRROR, joint

N_STATES = 4
# Whether the first and the second of the two views have left and right swapped in each state.
SWAPPED = np.array([[False, False], [True, False], [False, True], [True, True]])
# A view with fewer limb joints does not determine a state.
MIN_JOINTS = 5
# Costs are -2 log likelihoods. Largest cost of an image point, in standard deviations squared.
MAX_POINT_COST = 9.0
# A frame of three or more views is used if its image points cost less than this on average.
AGREES = 4.0
# Cost of a bone: its squared deviation from the person's length in tolerances, at most so much.
BONE_TOLERANCE, MAX_BONE_COST = 0.15, 9.0
# Legs bend forwards at the knee, and forearms point forwards. Each is worth its length in the root of this length and
# of the joints' variance, at most so much. The values are small, as a pose and the errors of its joints last.
BEND_MM, MAX_BEND_COST = 40.0, 0.5
FOREARM_MM, MAX_FOREARM_COST = 160.0, 0.25
# Motion between two frames: standard deviation of a joint without motion, a joint's speed, and a joint's largest cost.
NOISE_MM, SPEED_MM_S, MAX_MOTION_COST = 40.0, 2000.0, 12.0
# Labels differ between two states if their joints do by more than this on average.
DIFFERS_MM = 50.0


@dataclass(frozen=True)
class SideStates:
    """The states of the frames that two views see, and of frames beside them."""

    frames: Int[np.ndarray, " known"]
    views: Int[np.ndarray, "known 2"]  # the two views; -1 in frames that more views see
    costs: Float[np.ndarray, "known state"]  # infinite: no such state
    motion: Float[np.ndarray, "known state state"]  # from each state of the known frame before to each of this one
    differs: Bool[np.ndarray, "known state state"]  # whether the labels of two states differ

    @classmethod
    def joined(cls, parts: "list[SideStates]") -> "SideStates":
        """The states of successive blocks of frames."""
        names = ("frames", "views", "costs", "motion", "differs")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True)
class LastBody:
    """The bodies of the states of the last known frame."""

    frame: int
    bodies: Float[np.ndarray, "state limb=12 3"]


@check_shapes(no_inf=("points_norm", "R", "t", "lengths"))
def find_side_states(
    points_norm: Float[np.ndarray, "frame joint=17 view 2"],
    sigma: Float[np.ndarray, "frame joint=17 view"],
    R: Float[np.ndarray, "rig view 3 3"],
    t: Float[np.ndarray, "rig view 3"],
    lengths: Float[np.ndarray, "bone=16"],
    *,
    first: int,
    fps: float,
    unit: float,
    last: LastBody | None,
) -> tuple[SideStates, LastBody | None]:
    """The states of a block of successive frames, and the bodies that the next block continues from.

    `sigma` is the standard deviation of an image point, infinite where not seen; `first` is the number of the block's
    first frame, `unit` a millimetre in the rig's unit, `last` what the block before returned. Raises ValueError for
    shapes that do not fit and for infinite values other than those of sigma.
    """
    able = np.isfinite(sigma) & np.isfinite(points_norm).all(-1) & np.isfinite(t).all(-1)[:, None]
    sigma = np.where(able, sigma, np.inf)
    tells = able[:, LIMB_JOINTS].sum(1) >= MIN_JOINTS
    sigma = np.where(tells[:, None], sigma, np.inf)
    known = _needed(tells.sum(1))
    R, t = (R[known], t[known]) if len(R) > 1 else (R, t)
    x, s, few = points_norm[known], sigma[known], tells[known].sum(1) == 2
    views = np.where(few[:, None], np.argsort(~tells[known], axis=1, kind="stable")[:, :2], -1)
    bodies, costs, variance = _bodies(x, s, R, t, views)
    costs += _bone_costs(bodies, lengths) + _bend_costs(bodies, variance, unit)
    costs[~few, 1:] = np.inf
    is_known = np.isfinite(bodies[:, 0, LIMB_JOINTS]).all(-1).any(-1) & (few | (costs[:, 0] < np.inf))
    frames, bodies = first + known[is_known], bodies[is_known][:, :, LIMB_JOINTS]
    before = np.concatenate([bodies[:1] if last is None else last.bodies[None], bodies[:-1]])[: len(bodies)]
    gap = np.diff(frames, prepend=frames[:1] if last is None else last.frame)
    step = SPEED_MM_S * unit / fps * gap
    motion = _motion_costs(before, bodies, (NOISE_MM * unit) ** 2 + step**2)
    apart = np.linalg.norm(bodies[:, :, None] - bodies[:, None], axis=-1)
    differs = _mean(apart, np.isfinite(apart)) > DIFFERS_MM * unit
    found = SideStates(frames, views[is_known], costs[is_known], motion.astype(np.float32), differs)
    return found, LastBody(int(frames[-1]), bodies[-1]) if len(frames) else last


def _needed(n_views: np.ndarray) -> np.ndarray:
    """The frames that two views see, the seen frames before and after them, and the first and last that are seen."""
    known = np.flatnonzero(n_views >= 2)
    few = np.pad(n_views[known] == 2, 1, constant_values=True)
    return known[few[1:-1] | few[:-2] | few[2:]]


def _bodies(
    points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray, views: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The joints of the states (F, 4, J, 3), what their image points cost (F, 4), and the variance of a joint (F, 1).

    The cost is infinite if more than two views disagree.
    """
    first = np.arange(sigma.shape[2]) == views[:, :1]
    bodies, costs = [], []
    for where in (np.zeros_like(first), first):
        x, s = (swap_left_right(values, where[:, None]) for values in (points_norm, sigma))
        points = triangulation.robust(x, s, R, t)
        distance, _ = residuals(points, x, R, t)
        seen = np.isfinite(s) & np.isfinite(points).all(-1)[..., None]
        seen[:, np.setdiff1d(np.arange(len(MIRROR)), LIMB_JOINTS)] = False
        cost = np.where(seen, np.minimum((distance / s) ** 2, MAX_POINT_COST), 0.0)
        bodies.append(points)
        costs.append(np.where((views[:, 0] < 0) & (_mean(cost, seen, (1, 2)) > AGREES), np.inf, cost.sum((1, 2))))
    (as_named, other), (cost, other_cost) = bodies, costs
    return (
        np.stack([as_named, other, other[:, MIRROR], as_named[:, MIRROR]], 1),
        np.stack([cost, other_cost, other_cost, cost], 1),
        np.median(np.trace(covariance(as_named, sigma, R, t), axis1=-2, axis2=-1), axis=1)[:, None] / 3,
    )


def _bone_costs(bodies: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Cost (F, 4) of bones of a wrong length; errors of detectors make left and right ones differ, so both are one."""
    both = 0.5 * (lengths + lengths[MIRROR[1:] - 1])
    off = (lengths_of(bodies) / both - 1) / BONE_TOLERANCE
    return np.asarray(np.nan_to_num(np.minimum(off**2, MAX_BONE_COST)).sum(-1))


def _bend_costs(bodies: np.ndarray, variance: np.ndarray, unit: float) -> np.ndarray:
    """Cost (F, 4) of limbs that bend the wrong way; `variance` (F, 1) is that of a joint along an axis."""
    left = bodies[..., joint("l_hip"), :] - bodies[..., joint("r_hip"), :]
    left = _unit(left) + _unit(bodies[..., joint("l_shoulder"), :] - bodies[..., joint("r_shoulder"), :])
    forward = _unit(np.cross(left, bodies[..., joint("thorax"), :] - bodies[..., joint("pelvis"), :]))
    bend, reach = np.zeros(bodies.shape[:2]), np.zeros(bodies.shape[:2])
    for side in "lr":
        hip, knee, ankle, elbow, wrist = (
            bodies[..., joint(f"{side}_{name}"), :] for name in ("hip", "knee", "ankle", "elbow", "wrist")
        )
        bend += 0.5 * np.nan_to_num(((knee - 0.5 * (hip + ankle)) * forward).sum(-1))
        reach += 0.5 * np.nan_to_num(((wrist - elbow) * forward).sum(-1))
    bent, reached = (
        most * np.clip(length / np.sqrt((scale * unit) ** 2 + variance), -1, 1)
        for length, scale, most in ((bend, BEND_MM, MAX_BEND_COST), (reach, FOREARM_MM, MAX_FOREARM_COST))
    )
    # Without a variance, nothing is known.
    return np.nan_to_num(-bent - reached)


def _unit(vectors: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def _motion_costs(before: np.ndarray, bodies: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Cost (F, 4, 4) of the motion from each body before to each body (F, 4, 12, 3)."""
    squared = ((bodies[:, None] - before[:, :, None]) ** 2).sum(-1) / variance[:, None, None, None]
    # A missing joint costs as much as the others do on average.
    cost = np.minimum(squared, MAX_MOTION_COST)
    return len(LIMB_JOINTS) * _mean(cost, np.isfinite(squared))


def _mean(values: np.ndarray, where: np.ndarray, axis: int | tuple[int, ...] = -1) -> np.ndarray:
    """The mean of the values where they count; 0 where none does."""
    return np.asarray(np.where(where, values, 0.0).sum(axis) / np.maximum(where.sum(axis), 1))
