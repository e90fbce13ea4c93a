"""The points that programs mark on a person, in the order in which they write them.

Sources: OpenPose's output format, COCO, MPII and CrowdPose (annotations), Halpe-FullBody and COCO-WholeBody.
"""

import re

import numpy as np

from pipeline.errors import UserError
from pipeline.skeleton import JOINTS

_COCO_17 = (
    "Nose", "LEye", "REye", "LEar", "REar", "LShoulder", "RShoulder", "LElbow", "RElbow", "LWrist", "RWrist",
    "LHip", "RHip", "LKnee", "RKnee", "LAnkle", "RAnkle",
)  # fmt: skip
_ARMS_AND_NECK = ("Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist")
_HALPE_26 = (
    *_COCO_17, "Head", "Neck", "Hip", "LBigToe", "RBigToe", "LSmallToe", "RSmallToe", "LHeel", "RHeel",
)  # fmt: skip


def _series(name: str, n: int) -> tuple[str, ...]:
    return tuple(f"{name}{i}" for i in range(n))


_FACE_AND_HANDS = (*_series("Face", 68), *_series("LHand", 21), *_series("RHand", 21))

SKELETONS: dict[str, tuple[str, ...]] = {
    "BODY_25": (
        *_ARMS_AND_NECK, "MidHip", "RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar",
        "LEar", "LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel",
    ),
    "BODY_25B": (
        *_COCO_17, "UpperNeck", "HeadTop", "LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel",
    ),
    "COCO_17": _COCO_17,
    "COCO_18": (
        *_ARMS_AND_NECK, "RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar",
    ),
    "CROWDPOSE_14": (
        "LShoulder", "RShoulder", "LElbow", "RElbow", "LWrist", "RWrist", "LHip", "RHip", "LKnee", "RKnee", "LAnkle",
        "RAnkle", "HeadTop", "Neck",
    ),
    "MPII_16": (
        "RAnkle", "RKnee", "RHip", "LHip", "LKnee", "LAnkle", "Pelvis", "Thorax", "UpperNeck", "HeadTop", "RWrist",
        "RElbow", "RShoulder", "LShoulder", "LElbow", "LWrist",
    ),
    "H36M_17": JOINTS,
    "HALPE_26": _HALPE_26,
    "HALPE_136": (*_HALPE_26, *_FACE_AND_HANDS),
    "WHOLEBODY_133": (
        *_COCO_17, "LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel", *_FACE_AND_HANDS,
    ),
}  # fmt: skip

# Points that programs name differently, after side and separators are taken off.
_SYNONYMS = {
    "mid_hip": "pelvis", "midhip": "pelvis", "hip": "pelvis", "hips": "pelvis", "root": "pelvis",
    "hip_center": "pelvis",
    "neck": "thorax", "mid_shoulder": "thorax", "neck_base": "thorax", "shoulder_center": "thorax",
    "upperneck": "upper_neck", "headtop": "head_top", "top_head": "head_top", "head": "head_top",
}  # fmt: skip
_SIDES = {"l": "l", "left": "l", "r": "r", "right": "r"}
_PARTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "eye", "ear", "heel", "big_toe", "small_toe")

# Pairs of points that are close to each other on every person: in a wrong order, the lines between them are long.
_NEAR = [
    (f"{side}_{a}", f"{side}_{b}") for side in "lr"
    for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"), ("eye", "ear"))
] + [("nose", "l_eye"), ("nose", "r_eye"), ("l_hip", "r_hip"), ("l_shoulder", "r_shoulder"), ("upper_neck", "head_top"),
     ("thorax", "l_shoulder"), ("pelvis", "l_hip"), ("spine", "pelvis"), ("thorax", "spine")]  # fmt: skip


def canonical(name: str) -> str:
    """The name of a point in one spelling, in which programs agree; what is not known keeps its own words.

    `Neck` without more is OpenPose's: the middle of the shoulders.

    >>> [canonical(name) for name in ("LShoulder", "left_shoulder", "ShoulderLeft", "Lhip", "MidHip", "Neck", "snout")]
    ['l_shoulder', 'l_shoulder', 'l_shoulder', 'l_hip', 'pelvis', 'thorax', 'snout']
    """
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).lower()
    words = re.findall(r"[a-z]+|\d+", apart)
    for at in (0, -1):
        if len(words) > 1 and words[at] in _SIDES:
            side = _SIDES[words.pop(at)]
            return f"{side}_{'_'.join(words)}"
    joined = "_".join(words)
    for side in sorted(_SIDES, key=len, reverse=True):
        if joined.startswith(side) and joined[len(side) :].strip("_") in _PARTS:
            return f"{_SIDES[side]}_{joined[len(side) :].strip('_')}"
    return _SYNONYMS.get(joined, joined)


def canonical_points(points: tuple[str, ...]) -> tuple[str, ...]:
    """The points of a skeleton in one spelling; the project's own 17 joints keep their meaning.

    Raises UserError for two points of one name.
    """
    names = tuple(points) if set(JOINTS) <= set(points) else tuple(canonical(name) for name in points)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        same = [given for given, name in zip(points, names, strict=True) if name == twice[0]]
        raise UserError(f"The points {' and '.join(same)} have the same meaning", fix="Keep one of them.")
    return names


def guess_skeleton(people: np.ndarray, where: str) -> str:
    """The skeleton of people (P, L, 2) in pixels, by the number of points, then by the order that gives short bones.

    Raises UserError if no skeleton has that number of points.
    """
    n_points = people.shape[1]
    fitting = [name for name, points in SKELETONS.items() if len(points) == n_points]
    if not fitting:
        known = ", ".join(f"{name} ({len(points)})" for name, points in SKELETONS.items())
        what = f"People have {n_points} points, which is the number of no known set of points"
        fix = f"Known are {known}; in CSV and npz files each point has its name."
        raise UserError(what, where=where, fix=fix)
    return min(fitting, key=lambda name: _mean_length(people, SKELETONS[name]))


def _mean_length(people: np.ndarray, points: tuple[str, ...]) -> float:
    """Mean length of the lines between points that are close together, over the size of the person."""
    names = canonical_points(points)
    pairs = [(names.index(a), names.index(b)) for a, b in _NEAR if a in names and b in names]
    seen = np.isfinite(people).all(-1)
    lines = np.stack([np.linalg.norm(people[:, a] - people[:, b], axis=-1) for a, b in pairs], 1)
    extent = np.where(seen[..., None], people, -np.inf).max(1) - np.where(seen[..., None], people, np.inf).min(1)
    share = lines / np.maximum(np.linalg.norm(extent, axis=-1), 1e-9)[:, None]
    return float(np.nanmean(share)) if np.isfinite(share).any() else np.inf
