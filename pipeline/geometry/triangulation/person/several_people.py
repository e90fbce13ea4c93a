"""Recognises several people in view: for a while, a view shows a whole person far from where other views see theirs.

A detector that fails marks single joints wrongly, or a collapsed body, or fails in single frames. A detector that marks
another person shows a body of plausible size that is elsewhere as a whole, for as long as it keeps to that person.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from pipeline.geometry.triangulation import methods as triangulation
from pipeline.geometry.triangulation.person.hypotheses import (
    MIN_JOINTS,
    STRICT,
    USUAL,
    find_hypotheses,
    telling_views,
    view_costs,
)
from pipeline.shapes import check_shapes

# Size of another person in the image, as a multiple of the one that the other views see.
MIN_SIZE, MAX_SIZE = 0.7, 2.0
# Distance that all joints have in common, as a multiple of the extent of the body, and how far they scatter about it,
# as a multiple of that distance. Of bodies that a detector gets wrong, often seated ones, joints are off in all ways.
MIN_DISTANCE, MAX_SCATTER = 0.4, 1.0
# Several people are in view if others are shown for this time and number of frames without a break, and in all for so
# long and in so large a share of the frames.
MIN_RUN_S, MIN_RUN_FRAMES = 0.25, 5
MIN_TOTAL_S, MIN_SHARE = 0.4, 0.02


@dataclass(frozen=True)
class OtherPeople:
    """Views that show a whole person elsewhere than the person on whom other views agree closely."""

    shown: Bool[np.ndarray, "frame view"]
    distance: Float[np.ndarray, "frame view"]  # that all joints share, across the line of sight; NaN where not shown


@dataclass(frozen=True)
class SeveralPeople:
    """What says that several people are in view."""

    share: float  # of the frames, in which some view shows another person
    share_by_view: Float[np.ndarray, " view"]
    distance: float  # median, in the rig's unit


@check_shapes(no_inf=("points_norm", "R", "t"))
def find_other_people(
    points_norm: Float[np.ndarray, "frame joint=17 view 2"],
    sigma: Float[np.ndarray, "frame joint=17 view"],
    R: Float[np.ndarray, "rig view 3 3"],
    t: Float[np.ndarray, "rig view 3"],
) -> OtherPeople:
    """The views of each frame that show another person than the other views.

    `sigma` is the standard deviation of an image point, infinite where not seen. Raises ValueError for shapes that do
    not fit and for infinite values other than those of sigma.
    """
    tells, sigma = telling_views(points_norm, sigma, t)
    found = OtherPeople(np.zeros(tells.shape, bool), np.full(tells.shape, np.nan))
    costs, _ = view_costs(triangulation.robust(points_norm, sigma, R, t), points_norm, sigma, R, t)
    rows = np.flatnonzero((tells & (costs > USUAL.noise)).any(1) & (tells.sum(1) > 2))
    if not len(rows):
        return found
    x, s, pose = points_norm[rows], sigma[rows], (R[rows], t[rows]) if len(R) > 1 else (R, t)
    hypotheses = find_hypotheses(x, s, *pose, STRICT)
    best = hypotheses.costs[:, :-1].argmin(1)
    of_best = np.arange(len(rows)), best
    joints = hypotheses.joints[of_best]
    apart = hypotheses.tells & ~hypotheses.views[of_best] & np.isfinite(hypotheses.costs[of_best])[:, None]
    apart &= view_costs(joints, x, s, *pose)[0] > USUAL.agrees
    size, distance, scatter = _compared(joints, x, s, *pose)
    apart &= (size > MIN_SIZE) & (size < MAX_SIZE)
    apart &= distance > MIN_DISTANCE * _extent(joints, np.isfinite(joints).all(-1))[:, None]
    apart &= scatter < MAX_SCATTER * distance
    found.shown[rows], found.distance[rows] = apart, np.where(apart, distance, np.nan)
    return found


def _compared(
    joints: np.ndarray, points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The person in each image beside the joints (F, J, 3): relative size (F, V), distance and scatter about it.

    The distance, across the line of sight, is that of the joint in the median of all joints.
    """
    in_cameras = np.einsum("fvij,fnj->fvni", np.broadcast_to(R, (len(joints), *R.shape[1:])), joints) + t[:, :, None]
    depth = in_cameras[..., 2]
    seen = np.swapaxes(np.isfinite(sigma), 1, 2) & np.isfinite(depth) & (depth > 0)
    seen &= (seen.sum(-1) >= MIN_JOINTS)[..., None]
    with np.errstate(invalid="ignore", divide="ignore"):
        projected = in_cameras[..., :2] / depth[..., None]
        size = _extent(np.swapaxes(points_norm, 1, 2), seen) / _extent(projected, seen)
    off = np.where(seen[..., None], (np.swapaxes(points_norm, 1, 2) - projected) * depth[..., None], np.nan)
    any_seen = seen.any(-1)
    shared, scatter = np.full((*any_seen.shape, 2), np.nan), np.full(any_seen.shape, np.nan)
    shared[any_seen] = np.nanmedian(off[any_seen], axis=1)
    scatter[any_seen] = np.nanmedian(np.linalg.norm(off - shared[..., None, :], axis=-1)[any_seen], axis=1)
    return size, np.linalg.norm(shared, axis=-1), scatter


def _extent(points: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Root-mean-square distance of the known points (..., J, 2 or 3) from their mean; NaN without any."""
    count = known.sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known[..., None], points, 0.0).sum(-2) / count[..., None]
        apart = np.where(known[..., None], points - mean[..., None, :], 0.0)
        return np.asarray(np.sqrt((apart**2).sum((-1, -2)) / count))


def judge_people(blocks: Iterable[OtherPeople], fps: float) -> SeveralPeople | None:
    """Whether several people are in view, from what the views of successive blocks of frames show; None if not."""
    shown, distances = [], []
    for block in blocks:
        shown.append(block.shown)
        distances.append(block.distance[block.shown])
    every = np.concatenate(shown)
    lasting = _lasting(np.any(every, axis=1), max(round(MIN_RUN_S * fps), MIN_RUN_FRAMES))
    if lasting.sum() < max(MIN_TOTAL_S * fps, MIN_RUN_FRAMES, MIN_SHARE * len(every)):
        return None
    share_by_view = every[lasting].sum(0) / len(every)
    return SeveralPeople(float(lasting.mean()), share_by_view, float(np.median(np.concatenate(distances))))


def _lasting(shown: np.ndarray, frames: int) -> np.ndarray:
    """`shown` (F,) without runs of fewer frames."""
    kept = np.zeros_like(shown)
    for start, stop in np.flatnonzero(np.diff(shown, prepend=False, append=False)).reshape(-1, 2):
        kept[start:stop] = stop - start >= frames
    return kept
