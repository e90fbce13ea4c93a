"""Folders with one JSON file for each frame of a view, which are read as they are needed."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import UserError
from pipeline.formats.poses2d.frame_numbers import number_in_name
from pipeline.formats.poses2d.people import People, check_unique
from pipeline.formats.poses2d.skeletons import SKELETONS, guess_skeleton

# The points of all people in the content of a file: P lists of 3 L numbers, x, y and confidence of each point.
Parse = Callable[[Any], list[list[float]]]
# At most this many people tell the skeleton.
N_SAMPLED = 50


@dataclass(frozen=True)
class FrameFiles:
    """The 2D poses of one view, a file for each frame."""

    where: str
    skeleton: str
    points: tuple[str, ...]
    size_px: tuple[int, int] | None
    numbers: np.ndarray
    paths: tuple[Path, ...]
    parse: Parse

    def read(self, rows: np.ndarray) -> People:
        """The people in the files of some rows of `numbers`; a file that cannot be read counts as broken."""
        owners, people = [], []
        broken: dict[int, str] = {}
        for i, row in enumerate(rows):
            try:
                found = _points(self.paths[row], self.parse, len(self.points))
            except _BrokenFile as error:
                broken[i] = str(error)
                continue
            owners += [i] * len(found)
            people += found
        values = np.array(people).reshape(len(people), len(self.points), 3)
        return People.of(owners, values, broken)


class _BrokenFile(Exception):
    """A file of one frame that cannot be read."""


def open_frame_files(folder: Path, parse: Parse, size_px: tuple[int, int] | None = None) -> dict[str, FrameFiles]:
    """The views of a folder of JSON files, by name: the folder's own, or what is before the number in files of several.

    Raises UserError if a file has no number, if two have the same, and if people have a number of points that no
    program marks.
    """
    groups: dict[str, list[tuple[int, Path]]] = {}
    for path in json_files(folder):
        stem = re.sub(r"_keypoints$", "", path.stem)
        number = number_in_name(stem)
        if number is None:
            fix = "Name each file after its frame, such as cam1_000042.json."
            raise UserError(f"{path.name} has no frame number", where=str(folder), fix=fix)
        prefix = re.sub(r"\d+\D*$", "", stem)
        groups.setdefault(prefix, []).append((number, path))
    views = {}
    for prefix, files in groups.items():
        files.sort(key=lambda one: (one[0], one[1].name))
        ordered = [path for _, path in files]
        numbers = np.array([number for number, _ in files])
        check_unique(numbers, [path.name for path in ordered], str(folder))
        skeleton = _skeleton(ordered, parse)
        name = folder.name if len(groups) == 1 else prefix
        points = SKELETONS[skeleton] if skeleton else ()
        views[name] = FrameFiles(str(folder), skeleton, points, size_px, numbers, tuple(ordered), parse)
    return views


def json_files(folder: Path) -> list[Path]:
    """The visible JSON files of a folder."""
    files = (path for path in folder.iterdir() if path.suffix.lower() == ".json" and path.name[0] != ".")
    return sorted(files, key=lambda path: path.name)


def load_json(path: Path) -> Any:
    """The content of a file. Raises ValueError if it is not JSON."""
    return json.loads(path.read_text(encoding="utf-8-sig"))


def _skeleton(paths: list[Path], parse: Parse) -> str:
    """The skeleton of the people in evenly spread files, and if there are none, of the first in any file."""
    step = max(len(paths) // N_SAMPLED, 1)
    people: list[list[float]] = []
    for path in [*paths[::step], *paths]:
        try:
            people += parse(load_json(path))
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
        if len(people) >= N_SAMPLED:
            break
    lengths = [len(person) for person in people]
    if not people:
        return ""
    usual = max(set(lengths), key=lengths.count)
    sample = np.array([person for person in people if len(person) == usual], float).reshape(-1, usual // 3, 3)
    return guess_skeleton(np.where(sample[..., 2:] > 0, sample[..., :2], np.nan), str(paths[0].parent))


def _points(path: Path, parse: Parse, n_points: int) -> list[list[float]]:
    try:
        people = parse(load_json(path))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _BrokenFile(f"{path.name}: {type(error).__name__}: {error}") from None
    wrong = next((person for person in people if len(person) != 3 * n_points), None)
    if wrong is not None:
        raise _BrokenFile(f"{path.name}: a person has {len(wrong) / 3:g} points instead of {n_points}")
    return people
