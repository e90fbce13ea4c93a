"""MMPose's predictions: one JSON file for each video, by its inferencer or by its demo scripts.

Format: a list with `frame_id` and `instances` for each frame, at the top level or as `instance_info`; each instance has
`keypoints` (x, y of each point) and `keypoint_scores`. `meta_info` of the demo scripts names the points. A folder with
a file of `instances` for each image is read too.
"""

from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import UserError
from pipeline.formats.poses2d.frame_files import (
    FrameFiles,
    json_files,
    load_json,
    open_frame_files,
)
from pipeline.formats.poses2d.people import LoadedPoses, check_unique
from pipeline.formats.poses2d.skeletons import SKELETONS, guess_skeleton

_NAMES = "keypoint_id2name"


def open_views(path: Path) -> dict[str, LoadedPoses] | dict[str, FrameFiles]:
    """The view of a file of predictions, or the views of a folder of predictions for images; none if it is neither.

    Raises UserError if people have different numbers of points, or if a frame is there twice.
    """
    if path.is_dir():
        files = json_files(path)
        return open_frame_files(path, _flat_people) if len(files) > 1 and _is_of_image(files[0]) else {}
    content = _load(path)
    frames = content.get("instance_info") if isinstance(content, dict) else content
    if not isinstance(frames, list) or not frames:
        return {}
    if not all(isinstance(one, dict) and {"frame_id", "instances"} <= one.keys() for one in frames):
        return {}
    meta = content.get("meta_info", {}) if isinstance(content, dict) else {}
    return {path.stem.removeprefix("results_"): _of_video(frames, meta, path)}


def _load(path: Path) -> Any:
    if not path.is_file() or path.suffix.lower() != ".json":
        return None
    try:
        return load_json(path)
    except ValueError:
        return None


def _of_video(frames: list[dict[str, Any]], meta: dict[str, Any], path: Path) -> LoadedPoses:
    numbers = np.array([int(frame["frame_id"]) for frame in frames])
    order = np.argsort(numbers, kind="stable")
    check_unique(numbers, [f"entry {i}" for i in range(len(numbers))], str(path))
    owners = [int(frame["frame_id"]) for frame in frames for _ in frame["instances"]]
    people = [_person(one) for frame in frames for one in frame["instances"]]
    counts = {len(one) for one in people}
    if len(counts) > 1:
        what = f"People have {', '.join(map(str, sorted(counts)))} points"
        raise UserError(what, where=str(path), fix="Keep people with the same points.")
    values = np.array(people).reshape(len(people), max(counts, default=0), 3)
    skeleton, points = _points(values, meta, path)
    return LoadedPoses(str(path), skeleton, points, None, numbers[order], np.array(owners, int), values)


def _points(values: np.ndarray, meta: dict[str, Any], path: Path) -> tuple[str, tuple[str, ...]]:
    if not len(values):
        return "", ()
    names = meta.get(_NAMES, {})
    if len(names) == values.shape[1]:
        return str(meta.get("dataset_name", "named")), tuple(names[str(i)] for i in range(len(names)))
    skeleton = guess_skeleton(values[..., :2], str(path))
    return skeleton, SKELETONS[skeleton]


def _person(instance: dict[str, Any]) -> np.ndarray:
    points = np.array(instance["keypoints"], float)
    scores = np.array(instance.get("keypoint_scores", np.ones(len(points))), float)
    return np.column_stack([points[:, :2], scores])


def _flat_people(content: Any) -> list[list[float]]:
    return [_person(one).ravel().tolist() for one in content]


def _is_of_image(path: Path) -> bool:
    content = _load(path)
    return (
        isinstance(content, list)
        and bool(content)
        and all(isinstance(one, dict) and {"keypoints", "keypoint_scores"} <= one.keys() for one in content)
    )
