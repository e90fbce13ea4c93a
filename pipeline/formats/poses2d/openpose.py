"""OpenPose's JSON files, one for each frame, which Pose2Sim and Sports2D write as well.

Format: `people`, a list with `pose_keypoints_2d` (x, y, confidence of each point) for each person. An empty list is a
frame without people. Points of hands and faces are not read.
"""

from pathlib import Path
from typing import Any

from pipeline.formats.poses2d.frame_files import FrameFiles, json_files, load_json, open_frame_files

_KEYS = ("pose_keypoints_2d", "pose_keypoints")  # the second of OpenPose before 1.4

N_TRIED = 8  # files, evenly spread, of which one must be OpenPose's


def open_views(path: Path) -> dict[str, FrameFiles]:
    """The views of a folder of OpenPose's files; none if it is something else."""
    files = json_files(path) if path.is_dir() else []
    if not any(_is_openpose(file) for file in files[:: max(len(files) // N_TRIED, 1)]):
        return {}
    return open_frame_files(path, _people)


def _is_openpose(path: Path) -> bool:
    try:
        content = load_json(path)
    except ValueError:
        return False
    return isinstance(content, dict) and isinstance(content.get("people"), list)


def _people(content: Any) -> list[list[float]]:
    return [list(map(float, _keypoints(person))) for person in content["people"] if _keypoints(person)]


def _keypoints(person: dict[str, list[float]]) -> list[float]:
    return next((person[key] for key in _KEYS if key in person), [])
