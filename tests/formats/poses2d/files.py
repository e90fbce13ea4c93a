"""Files of 2D poses for the tests, of people whose points are known."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.formats.poses2d.skeletons import SKELETONS, canonical

# A standing person, in pixels; sides as the person's own, seen from the front.
STANDING = {
    "nose": (300, 100), "l_eye": (308, 92), "r_eye": (292, 92), "l_ear": (318, 96), "r_ear": (282, 96),
    "thorax": (300, 150), "upper_neck": (300, 132), "head_top": (300, 60), "head": (300, 60), "neck": (300, 110),
    "l_shoulder": (340, 150), "r_shoulder": (260, 150), "l_elbow": (355, 215), "r_elbow": (245, 215),
    "l_wrist": (360, 275), "r_wrist": (240, 275), "pelvis": (300, 280), "spine": (300, 215),
    "l_hip": (322, 280), "r_hip": (278, 280), "l_knee": (324, 370), "r_knee": (276, 370),
    "l_ankle": (325, 460), "r_ankle": (275, 460), "l_heel": (327, 470), "r_heel": (273, 470),
    "l_big_toe": (335, 480), "r_big_toe": (265, 480), "l_small_toe": (345, 478), "r_small_toe": (255, 478),
}  # fmt: skip


def person(points: Sequence[str], offset: tuple[float, float] = (0, 0), confidence: float = 0.8) -> np.ndarray:
    """Points (L, 3) of the standing person, moved by an offset; points of face and hands are near the nose."""
    own = [STANDING.get(name, STANDING.get(canonical(name), (300, 100))) for name in points]
    return np.column_stack([np.add(own, offset), np.full(len(points), confidence)])


def openpose(people: Sequence[np.ndarray]) -> str:
    """The text of a file of OpenPose."""
    return json.dumps({"version": 1.3, "people": [{"pose_keypoints_2d": p.ravel().tolist()} for p in people]})


def write_openpose(folder: Path, frames: Mapping[int, Sequence[np.ndarray]], name: str = "cam") -> Path:
    """A folder with OpenPose's file of each frame."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, people in frames.items():
        (folder / f"{name}_{number:012d}_keypoints.json").write_text(openpose(people))
    return folder


BODY_25 = SKELETONS["BODY_25"]
COCO_17 = SKELETONS["COCO_17"]
