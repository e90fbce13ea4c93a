"""COCO's keypoints, as annotations or as results of a detector; AlphaPose's results are the same list.

Annotations: `images` (`id`, `file_name`, `width`, `height`), `annotations` (`image_id`, `keypoints`: x, y and
visibility or score of each point) and optionally `categories` with the names of the `keypoints`. Results: a list of
`image_id`, which is the frame's number or the name of its image, and `keypoints`. The folder of an image, or what is
before the number in its name, is its view.
"""

import re
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from pipeline.errors import UserError
from pipeline.formats.poses2d.frame_files import load_json
from pipeline.formats.poses2d.frame_numbers import number_in_name
from pipeline.formats.poses2d.people import LoadedPoses, check_unique
from pipeline.formats.poses2d.skeletons import SKELETONS, guess_skeleton

# Confidence of the annotations' flags: not in the image, hidden, visible.
_OF_FLAG = np.array([0.0, 0.5, 1.0])
_IMAGE_NAME = re.compile(r"\.(jpe?g|png|bmp|tiff?|webp)$", re.IGNORECASE)


def open_views(path: Path) -> dict[str, LoadedPoses]:
    """The views of a JSON file of keypoints; none if it is something else.

    Raises UserError if images of a view differ in size, if two are of the same frame, or if keypoints cannot be told.
    """
    if not path.is_file() or path.suffix.lower() != ".json":
        return {}
    try:
        content = load_json(path)
    except ValueError:
        return {}
    if isinstance(content, dict) and {"images", "annotations"} <= content.keys():
        return _annotated(content, path)
    is_list = isinstance(content, list) and bool(content)
    if is_list and all(isinstance(one, dict) and {"image_id", "keypoints"} <= one.keys() for one in content):
        return _results(content, path)
    return {}


def _annotated(content: dict[str, Any], path: Path) -> dict[str, LoadedPoses]:
    images = content["images"]
    people = [one for one in content["annotations"] if one.get("keypoints")]
    names = next((tuple(c["keypoints"]) for c in content.get("categories", []) if c.get("keypoints")), None)
    places = {image["id"]: _place(str(image["file_name"]), path) for image in images}
    unknown = [one["image_id"] for one in people if one["image_id"] not in places]
    if unknown:
        what = f"{len(unknown)} people are in images that are not listed, the first in {unknown[0]}"
        raise UserError(what, where=str(path), fix="Keep images and annotations together.")
    sizes: dict[str, set[tuple[int, int]]] = {}
    for image in images:
        own = sizes.setdefault(places[image["id"]][0], set())
        own |= {(int(image["width"]), int(image["height"]))} if {"width", "height"} <= image.keys() else set()
    listed = [(*places[image["id"]], str(image["file_name"])) for image in images]
    for view in sizes:
        own_images = [(number, name) for owner, number, name in listed if owner == view]
        check_unique(np.array([n for n, _ in own_images]), [name for _, name in own_images], str(path))
    return _views(people, [places[one["image_id"]] for one in people], [row[:2] for row in listed], names, sizes, path)


def _results(people: list[dict[str, Any]], path: Path) -> dict[str, LoadedPoses]:
    places = [_place(one["image_id"], path) for one in people]
    return _views(people, places, places, None, {}, path)


def _place(image: str | int, path: Path) -> tuple[str, int]:
    """View and number of an image from its name, or from its identity if that is a number."""
    if isinstance(image, int) or str(image).isdecimal():
        return path.stem, int(image)
    name = PurePosixPath(str(image).replace("\\", "/"))
    stem = _IMAGE_NAME.sub("", name.name)
    number = number_in_name(stem)
    if number is None:
        fix = "Name each image after its frame, such as cam1/000042.jpg."
        raise UserError(f"The image {image} has no frame number", where=str(path), fix=fix)
    prefix = re.sub(r"\d+\D*$", "", stem)
    folder = name.parent.as_posix()
    return (f"{folder}/{prefix}" if folder != "." else prefix), number


def _views(
    people: list[dict[str, Any]], owners: list[tuple[str, int]], frames: list[tuple[str, int]],
    names: tuple[str, ...] | None, sizes: dict[str, set[tuple[int, int]]], path: Path,
) -> dict[str, LoadedPoses]:  # fmt: skip
    values = _values(people, path)
    skeleton, points = _points(values, names, path)
    views = sorted({view for view, _ in frames})
    opened = {}
    for view in views:
        is_own = np.array([owner == view for owner, _ in owners], bool)
        numbers = np.unique([number for owner, number in frames if owner == view])
        of_people = np.array([number for _, number in owners], int)[is_own]
        own_sizes = sizes.get(view, set())
        if len(own_sizes) > 1:
            shown = " and ".join(f"{w}x{h}" for w, h in sorted(own_sizes)[:3])
            raise UserError(f"Images of one view are {shown}", where=f"{path}, {view}", fix="Keep those of one video.")
        name = path.stem if len(views) == 1 else view
        size_px = next(iter(own_sizes), None)
        opened[name] = LoadedPoses(str(path), skeleton, points, size_px, numbers, of_people, values[is_own])
    return opened


def _values(people: list[dict[str, Any]], path: Path) -> np.ndarray:
    """x, y and confidence (P, L, 3)."""
    lengths = {len(one["keypoints"]) for one in people}
    if len(lengths) > 1 or any(n % 3 for n in lengths):
        what = f"People have {', '.join(map(str, sorted(lengths)))} values, not three for each of the same points"
        raise UserError(what, where=str(path), fix="Keep people with the same points.")
    values = np.array([one["keypoints"] for one in people], float).reshape(len(people), max(lengths, default=0) // 3, 3)
    flags = values[..., 2]
    if not any("score" in one for one in people) and np.isin(flags, (0, 1, 2)).all():
        values[..., 2] = _OF_FLAG[flags.astype(int)]
    return values


def _points(values: np.ndarray, names: tuple[str, ...] | None, path: Path) -> tuple[str, tuple[str, ...]]:
    if not len(values):
        return "", ()
    if names is not None:
        if len(names) != values.shape[1]:
            what = f"{len(names)} points are named and people have {values.shape[1]}"
            raise UserError(what, where=str(path), fix="Correct the keypoints of the category.")
        return "named", names
    skeleton = guess_skeleton(np.where(values[..., 2:] > 0, values[..., :2], np.nan), str(path))
    return skeleton, SKELETONS[skeleton]
