"""Follows one person through a recording: which views show the person in each frame, and frames that do not.

The hypotheses of `hypotheses` are judged by the person's bone lengths and by motion. The path that costs least is cut
where the body leaps. The longest part and the parts that can be reached from it show the person; other parts show
somebody else.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from jaxtyping import Bool, Float, UInt8

from pipeline.geometry.triangulation.bone_lengths import lengths_of, millimetre
from pipeline.geometry.triangulation.person.best_path import Motion, best_path
from pipeline.geometry.triangulation.person.hypotheses import Hypotheses
from pipeline.skeleton import MIRROR

# Evidence of successive frames is not independent: so many frames in a second count.
INDEPENDENT_PER_S = 12.0
# Motion of a body, and the cost of a leap, in the cost of hypotheses.
NOISE_MM, SPEED_MM_S, LEAP_COST = 60.0, 2000.0, 300.0
# A body leaps if its joints move by more than this distance and this speed, in the median.
LEAP_MM, LEAP_MM_S = 250.0, 8000.0
# With several people in view, a body decided by two views against others counts if it is reached from a frame in which
# more views agree by steps of at most this distance and speed. So close in time to a change of the person that a view
# shows, it is not used.
STEP_MM, STEP_MM_S, CHANGE_S = 150.0, 2500.0, 0.1
# Cost of a bone: its squared deviation from the person's length in tolerances, without the first.
BONE_TOLERANCE, MAX_BONE_COST, BONE_WEIGHT = 0.15, 9.0, 0.3
# Another body is as plausible if its path costs less than MARGIN more, and if its views do not agree worse by TIE.
MARGIN, TIE = 10.0, 6.0
MAX_WAITING = 4096


class Whose(IntEnum):
    """Whom the views of a frame show."""

    PERSON = 0
    NOBODY = 1  # no two views agree on a body
    AMBIGUOUS = 2  # the views show two people, and nothing decides which is the right one
    OTHER = 3  # the views that agree show another person


@dataclass(frozen=True)
class PersonPath:
    """Whom the views show in each frame."""

    other: Bool[np.ndarray, "frame view"]  # the view shows somebody else, or contradicts the views of the person
    whose: UInt8[np.ndarray, " frame"]  # of Whose

    def taken(self, frames: np.ndarray | slice) -> "PersonPath":
        """The path of some of the frames."""
        return PersonPath(self.other[frames], self.whose[frames])


@dataclass(frozen=True)
class _Setting:
    """What is known before the person is followed."""

    fps: float
    unit: float  # a millimetre in the unit of the joints
    moves: bool  # whether all frames have one world
    several: bool  # whether several people are in view


@dataclass(frozen=True)
class _Chosen:
    """The chosen hypotheses of successive frames."""

    views: np.ndarray  # (F, V)
    tells: np.ndarray  # (F, V)
    joints: np.ndarray  # (F, J, 3) middles of left and right joints
    is_tied: np.ndarray  # (F,) another body is as plausible


def follow_person(
    blocks: Iterable[Hypotheses],
    lengths: Float[np.ndarray, "bone=16"],
    fps: float,
    *,
    moves: bool = True,
    several: bool = False,
) -> PersonPath:
    """Choose the views that show the person in each frame, from the hypotheses of successive blocks of frames.

    `lengths` are the person's bone lengths in the rig's unit, NaN if unknown. Without `moves`, the frames are judged
    apart, as their worlds differ. With `several` people in view, frames are ambiguous in which two views contradict
    others and nothing before or after decides. A path is decided up to the last frame that has one hypothesis; memory
    grows with the frames that wait for a decision, at most MAX_WAITING.
    """
    chosen: list[_Chosen] = []
    waiting: Hypotheses | None = None
    setting = _Setting(fps, float("nan"), moves, several)
    for block in blocks:
        if not np.isfinite(setting.unit):
            setting = replace(setting, unit=millimetre(block.joints[:, 0], lengths))
        waiting = block if waiting is None else Hypotheses.joined([waiting, block])
        certain = np.flatnonzero(np.isfinite(waiting.costs).sum(1) == 1)
        last = int(certain[-1]) if len(certain) else 0
        if not last and len(waiting.costs) > MAX_WAITING:
            last = len(waiting.costs) - 1
        if last:
            decided, end = _decide(waiting.taken(slice(0, last + 1)), lengths, setting)
            chosen.append(decided)
            waiting = Hypotheses.joined([end, waiting.taken(slice(last + 1, None))])
    if waiting is None:
        raise ValueError("follow_person: there are no frames.")
    chosen.append(_decide(waiting, lengths, setting)[0])
    # A frame that ends a part also starts the next one.
    return _path_of([*(_without_end(part) for part in chosen[:-1]), chosen[-1]], setting)


def _without_end(part: _Chosen) -> _Chosen:
    """The part without its last frame."""
    return _Chosen(part.views[:-1], part.tells[:-1], part.joints[:-1], part.is_tied[:-1])


def _decide(hypotheses: Hypotheses, lengths: np.ndarray, setting: _Setting) -> tuple[_Chosen, Hypotheses]:
    """The best path through some frames, and its last frame with the chosen hypothesis alone."""
    fps, unit = setting.fps, setting.unit
    costs = (hypotheses.costs + _bone_costs(hypotheses.joints, lengths)) * min(1.0, INDEPENDENT_PER_S / fps)
    motion = Motion(NOISE_MM * unit, SPEED_MM_S * unit / fps, LEAP_COST if setting.moves else 0.0)
    # The middles of left and right joints do not change if their names are swapped.
    middles = 0.5 * (hypotheses.joints + hypotheses.joints[:, :, MIRROR])
    path = best_path(costs, middles, motion)
    rows, k = np.arange(len(costs)), path.chosen
    joints = middles[rows, k]
    apart = median_distance(middles, joints[:, None]) > LEAP_MM * unit
    ties = hypotheses.costs < hypotheses.costs[rows, k][:, None] + TIE
    is_tied = (ties & (path.excess < MARGIN) & apart).any(1)
    chosen = _Chosen(hypotheses.views[rows, k], hypotheses.tells, joints, is_tied)
    return chosen, hypotheses.only(len(costs) - 1, int(k[-1]))


def _path_of(parts: list[_Chosen], setting: _Setting) -> PersonPath:
    views, tells, joints, is_tied = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("views", "tells", "joints", "is_tied")
    )
    fps, unit = setting.fps, setting.unit
    few = tells.sum(1) < 2
    whose = np.where(few | views.any(1), Whose.PERSON, Whose.NOBODY)
    whose = np.where(is_tied, Whose.AMBIGUOUS, whose)
    n_agreeing = views.sum(1)
    if setting.several:
        steps = (STEP_MM * unit, STEP_MM_S * unit / fps) if setting.moves else (0.0, 0.0)
        undecided = _undecided(joints, n_agreeing, tells.sum(1), whose == Whose.PERSON, *steps)
        whose = np.where(undecided, Whose.AMBIGUOUS, whose)
        n_agreeing = np.where(whose == Whose.PERSON, n_agreeing, 0)
    if setting.moves:
        allowed = LEAP_MM * unit, (STEP_MM_S if setting.several else LEAP_MM_S) * unit / fps
        whose = np.where(_of_others(joints, n_agreeing, *allowed), Whose.OTHER, whose)
    other = tells & ~views & (whose == Whose.PERSON)[:, None] & ~few[:, None]
    if setting.several:
        other = _widened(other, round(CHANGE_S * fps))
    return PersonPath(other, whose.astype(np.uint8))


def _undecided(
    joints: np.ndarray,
    n_agreeing: np.ndarray,
    n_views: np.ndarray,
    known: np.ndarray,
    distance: float,
    per_frame: float,
) -> np.ndarray:
    """Frames whose body (F, J, 3) two views show against others, and that no steps link to frames with more views."""
    weak = known & (n_agreeing == 2) & (n_views > 2)
    decided = known & ~weak
    for order in (range(len(weak)), range(len(weak))[::-1]):
        last = -1
        for f in order:
            if last >= 0 and weak[f] and not decided[f]:
                step = median_distance(joints[f], joints[last])
                decided[f] = step <= distance + per_frame * abs(f - last)
            if decided[f]:
                last = f
    return np.asarray(weak & ~decided)


def _widened(where: np.ndarray, frames: int) -> np.ndarray:
    """`where` (F, V), and so many frames before and after."""
    found = where.copy()
    for shift in range(1, frames + 1):
        found[shift:] |= where[:-shift]
        found[:-shift] |= where[shift:]
    return found


def median_distance(
    a: Float[np.ndarray, "*batch joint 3"], b: Float[np.ndarray, "*#batch joint 3"]
) -> Float[np.ndarray, "*batch"]:
    """Median distance of the joints of bodies; 0 if they have no joints in common."""
    distance = np.linalg.norm(a - b, axis=-1)
    known = np.isfinite(distance).any(-1, keepdims=True)
    return np.asarray(np.nanmedian(np.where(known, distance, 0.0), axis=-1))


def _bone_costs(joints: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Cost (F, K) of the bones of bodies (F, K, J, 3) whose lengths are not the person's."""
    off = (lengths_of(joints) / lengths - 1) / BONE_TOLERANCE
    return np.asarray(BONE_WEIGHT * np.nan_to_num(np.clip(off**2 - 1, 0, MAX_BONE_COST)).sum(-1))


def _of_others(joints: np.ndarray, n_views: np.ndarray, distance: float, per_frame: float) -> np.ndarray:
    """Whether a frame's body (F, J, 3) cannot be reached from the bodies of the longest part without a leap."""
    known = np.flatnonzero(np.isfinite(joints).any((1, 2)) & (n_views > 0))
    if len(known) < 2:
        return np.zeros(len(joints), bool)
    bodies = joints[known]
    leaps = median_distance(bodies[1:], bodies[:-1]) > distance + per_frame * np.diff(known)
    part = np.concatenate([[0], np.cumsum(leaps)])
    main = int(np.bincount(part, n_views[known]).argmax())
    is_own = part == main
    for step in (1, -1):
        at = np.flatnonzero(part == main)[-1 if step > 0 else 0]
        following = main + step
        while 0 <= following <= part[-1]:
            own = np.flatnonzero(part == following)
            near, far = (own[0], own[-1]) if step > 0 else (own[-1], own[0])
            gap = abs(int(known[near] - known[at]))
            if median_distance(bodies[near], bodies[at]) <= distance + per_frame * gap:
                is_own[own], at = True, far
            following += step
    others = np.zeros(len(joints), bool)
    others[known[~is_own]] = True
    return others
