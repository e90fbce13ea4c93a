"""The project's joints among the named points of a file: by tables of the names that programs give to joint centres.

Only joint centres count, and the middles of a joint's medial and lateral markers: a single marker on the skin lies
40 to 60 mm from the joint.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pipeline.skeleton import JOINTS, N_JOINTS

# Names of joints in plain letters (`plain_name`), without their side where they have one; a tuple is the middle of
# several points, and the first one that the file has is taken.
Groups = tuple[tuple[str, ...], ...]
LIMBS: dict[str, Groups] = {
    "hip": (("hjc",), ("hjcstudy",), ("hipjointcenter",), ("hip",)),
    "knee": (("kjc",), ("kneejointcenter",), ("kneestudy", "mkneestudy"), ("kne", "knm"), ("knee",)),
    "ankle": (("ajc",), ("anklejointcenter",), ("anklestudy", "manklestudy"), ("ank", "med"), ("ankle",), ("foot",)),
    "shoulder": (("sjc",), ("shoulderjointcenter",), ("shoulder",)),
    "elbow": (("ejc",), ("elbowjointcenter",), ("lelbowstudy", "melbowstudy"), ("elb", "elbm"), ("elbow",)),
    "wrist": (("wjc",), ("wristjointcenter",), ("lwriststudy", "mwriststudy"), ("wra", "wrb"), ("wrist",)),
}
TRUNK: dict[str, Groups] = {
    "pelvis": (("pelvis",), ("midhip",), ("hip",), ("root",), ("hipcenter",), ("spinebase",)),
    "spine": (("spinemid",), ("midspine",), ("torso",), ("spine",)),
    "thorax": (("thorax",), ("midshoulder",), ("shouldercenter",), ("spineshoulder",)),
    "neck": (("neck",), ("necknose",)),
    "head": (("headtop",), ("tophead",), ("htop",), ("head",)),
}
# BVH names a joint after the segment below it; its LeftShoulder is the clavicle's.
BVH = {"hip": "upleg", "knee": "leg", "ankle": "foot", "shoulder": "arm", "elbow": "forearm", "wrist": "hand"}
# A file with such a point has the skeleton of an animated body (BVH, SMPL), whose trunk has other joints than people.
ANIMATED = ("lupleg", "lcollar")
# The joints of the trunk that are the middle of a left and a right one, if they have no name of their own.
MIDDLES = {"pelvis": "hip", "thorax": "shoulder"}


@dataclass(frozen=True)
class JointsOfPoints:
    """The joints in a file, and what they were made from."""

    joints_mm: Float[np.ndarray, "row 17 3"]  # NaN for missing joints
    sources: dict[str, tuple[str, ...]]  # joint -> the file's names of the points whose middle it is

    @property
    def missing(self) -> list[str]:
        """The joints that the file does not have."""
        return [name for name in JOINTS if name not in self.sources]


def joints_of_points(names: Sequence[str], points_mm: Float[np.ndarray, "row point 3"]) -> JointsOfPoints:
    """Find the project's joints among named points.

    A lone neck is taken for the thorax: skeletons with one joint there place it between the shoulders.
    Raises ValueError for a name that occurs twice, and if no joint is found.
    """
    places: dict[str, int] = {}
    for i, name in enumerate(names):
        plain = plain_name(name)
        if plain and plain in places:
            raise ValueError(f"Two of its points are called {names[places[plain]]!r} and {name!r}")
        places[plain] = i
    found = {name: own for name in JOINTS if (own := _find(name, places))}
    if not found:
        shown = ", ".join(list(names)[:8]) + (", ..." if len(names) > 8 else "")
        raise ValueError(f"None of its points is known as a joint: {shown}")
    joints = np.full((len(points_mm), N_JOINTS, 3), np.nan)
    for name, own in found.items():
        joints[:, JOINTS.index(name)] = points_mm[:, own].mean(1)
    return JointsOfPoints(joints, {name: tuple(names[i] for i in own) for name, own in found.items()})


def plain_name(name: str) -> str:
    """A name in plain lower-case letters, with its side as the first letter.

    >>> [plain_name(name) for name in ("Ann:LeftUpLeg", "r_mknee_study", "hip_r", "ShoulderLeft", "R.Wrist", "Head")]
    ['lupleg', 'rmkneestudy', 'rhip', 'lshoulder', 'rwrist', 'head']
    """
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", name.rpartition(":")[2]).lower()
    parts = [part for part in re.split(r"[^a-z0-9]+", words) if part]
    sides = {"left": "l", "right": "r", "l": "l", "r": "r"}
    side = next((sides[part] for part in (parts[:1] + parts[-1:]) if part in sides), "")
    if side:
        parts = parts[1:] if parts[0] in sides else parts[:-1]
    return _side_first(side + "".join(parts))


def _side_first(plain: str) -> str:
    """Abbreviate a side that is written out without a space, as in `leftknee`."""
    for word in ("left", "right"):
        if plain.startswith(word) and len(plain) > len(word):
            return word[0] + plain.removeprefix(word)
    return plain


def _find(joint: str, places: dict[str, int]) -> list[int]:
    """The indices of the points whose middle is a joint; empty if it is missing."""
    is_animated = any(one in places for one in ANIMATED)
    if joint[:2] in ("l_", "r_"):
        side, name = joint[0], joint[2:]
        groups = ((BVH[name],),) if "lupleg" in places else LIMBS[name]
        return _first([[side + one for one in group] for group in groups], places)
    named = [] if is_animated else _first(_trunk_groups(joint, places), places)
    if named or joint not in MIDDLES:
        return named
    left, right = (_find(f"{side}_{MIDDLES[joint]}", places) for side in "lr")
    return left + right if left and right else []


def _trunk_groups(joint: str, places: dict[str, int]) -> Groups:
    """The names of a joint of the trunk that mean what this project means by it, given the file's other names."""
    has_thorax = any(group[0] in places for group in TRUNK["thorax"])
    if joint == "neck" and not has_thorax:
        return ()
    if joint == "thorax" and not has_thorax:
        return (("neck",),)
    return TRUNK[joint]


def _first(groups: Iterable[Sequence[str]], places: dict[str, int]) -> list[int]:
    """The indices of the first group of names that are all there; empty if there is none."""
    return next(([places[one] for one in group] for group in groups if all(one in places for one in group)), [])
