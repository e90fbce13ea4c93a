"""How the project's 17 joints are made from the points of any source of 2D poses.

A joint has one or several meanings; the first that the points of a source allow is taken for all its frames, as joints
of different meanings would contradict each other between views. Within a meaning, later rules stand in for the first
in frames where some of its points were not found.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.errors import UserError
from pipeline.formats.poses2d.skeletons import canonical_points
from pipeline.skeleton import JOINTS, LIMB_JOINTS, N_JOINTS

Rule = Mapping[str, float]  # a weighted sum of points
Meaning = tuple[Rule, ...]

_MID_HIPS: Rule = {"l_hip": 0.5, "r_hip": 0.5}
_MID_SHOULDERS: Rule = {"l_shoulder": 0.5, "r_shoulder": 0.5}


def _sum(*terms: tuple[float, Rule]) -> Rule:
    total: dict[str, float] = {}
    for factor, rule in terms:
        for name, weight in rule.items():
            total[name] = total.get(name, 0.0) + factor * weight
    return total


# As for MediaPipe's landmarks (pipeline/detectors/mediapipe.py): the trunk lies between hips and shoulders; the neck,
# four fifths of the way from the shoulders to the mouth, is seven tenths of the way to the nose; the head is above the
# ears by a quarter of their distance from the shoulders. In frames in which one ear is hidden, both are at one place.
_ABOVE_EARS = tuple(
    _sum((1.24, ears), (-0.24, _MID_SHOULDERS))
    for ears in ({"l_ear": 0.5, "r_ear": 0.5}, {"l_ear": 1.0}, {"r_ear": 1.0})
)
MEANINGS: dict[str, tuple[Meaning, ...]] = {
    **{JOINTS[j]: (({JOINTS[j]: 1.0},),) for j in LIMB_JOINTS},
    "pelvis": ((_MID_HIPS, {"pelvis": 1.0}), ({"pelvis": 1.0},)),
    "thorax": ((_MID_SHOULDERS, {"thorax": 1.0}), ({"thorax": 1.0},)),
    "spine": (({"spine": 1.0},), (_sum((0.5, _MID_HIPS), (0.5, _MID_SHOULDERS)),)),
    "neck": (({"neck": 1.0},), ({"upper_neck": 1.0},), (_sum((0.7, {"nose": 1.0}), (0.3, _MID_SHOULDERS)),)),
    "head": (({"head": 1.0},), ({"head_top": 1.0},), _ABOVE_EARS),
}
# A source needs this many of the limb joints, as labels and cameras are made from people.
MIN_LIMB_JOINTS = 6


@dataclass(frozen=True)
class JointRules:
    """The rules of each joint for one set of L points."""

    weights: tuple[np.ndarray, ...]  # of each joint: (A, L), a row for each rule in order; none: it cannot be made
    described: dict[str, str]  # of each joint: its rules in the names of the points

    def joints(self, points_px: np.ndarray, confidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Joints (P, 17, 2) and their confidence (P, 17) from points (P, L, 2) and theirs (P, L).

        The confidence of a joint is the lowest of its points.
        """
        px = np.full((len(points_px), N_JOINTS, 2), np.nan)
        found = np.zeros((len(points_px), N_JOINTS))
        known = np.nan_to_num(points_px)
        for j, rules in enumerate(self.weights):
            for rule in rules[::-1]:
                lowest = confidence[:, rule != 0].min(1)
                is_made = lowest > 0
                px[is_made, j] = np.einsum("l,plc->pc", rule, known[is_made])
                found[is_made, j] = lowest[is_made]
        return px, found


def joint_rules(points: tuple[str, ...], where: str) -> JointRules:
    """The rules for points with these names.

    Raises UserError if too few limb joints are among them.
    """
    names = canonical_points(points)
    chosen = {joint: _meaning(MEANINGS[joint], names) for joint in JOINTS}
    n_limbs = sum(bool(chosen[JOINTS[j]]) for j in LIMB_JOINTS)
    if n_limbs < MIN_LIMB_JOINTS:
        what = f"Only {n_limbs} of the 12 limb joints are among the points {', '.join(points[:30])}"
        fix = f"Name the points {', '.join(JOINTS[j] for j in LIMB_JOINTS)}, in any common spelling."
        raise UserError(what, where=where, fix=fix)
    weights = tuple(np.array([[rule.get(name, 0.0) for name in names] for rule in chosen[joint]]) for joint in JOINTS)
    spelling = dict(zip(names, points, strict=True))
    return JointRules(weights, {joint: _describe(chosen[joint], spelling) for joint in JOINTS})


def _meaning(meanings: tuple[Meaning, ...], names: tuple[str, ...]) -> Meaning:
    """The rules, of the first meaning whose first rule has all its points, that have all theirs."""
    for rules in meanings:
        if set(rules[0]) <= set(names):
            return tuple(rule for rule in rules if set(rule) <= set(names))
    return ()


def _describe(rules: Meaning, spelling: Mapping[str, str]) -> str:
    sums = [
        " + ".join(spelling[name] if weight == 1 else f"{weight:.3g} {spelling[name]}" for name, weight in rule.items())
        for rule in rules
    ]
    return "; else ".join(sums).replace("+ -", "- ") if sums else "not among the points"
