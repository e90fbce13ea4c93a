"""EasyMocap's annotations, `annots/CAMERA/000000.json`, one file for each frame.

Format: `width` and `height` of the image, and `annots`, a list with `keypoints` (x, y, confidence of each point;
BODY_25 for its own detections) for each person.
"""

from pathlib import Path
from typing import Any

from pipeline.formats.poses2d.frame_files import FrameFiles, json_files, load_json, open_frame_files


def open_views(path: Path) -> dict[str, FrameFiles]:
    """The views of a folder of EasyMocap's annotations; none if it is something else."""
    files = json_files(path) if path.is_dir() else []
    if not files:
        return {}
    try:
        content = load_json(files[0])
    except ValueError:
        return {}
    if not isinstance(content, dict) or not isinstance(content.get("annots"), list):
        return {}
    size = (content.get("width"), content.get("height"))
    return open_frame_files(path, _people, (int(size[0]), int(size[1])) if size[0] and size[1] else None)


def _people(content: Any) -> list[list[float]]:
    people = [one["keypoints"] for one in content["annots"] if one.get("keypoints")]
    return [[float(value) for point in points for value in point] for points in people]
