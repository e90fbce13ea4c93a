"""DeepLabCut's tables of predictions, CSV.

Format: rows of headers `scorer`, `individuals` (of several animals or people), `bodyparts` and `coords` (x, y,
likelihood); then a row for each frame, whose first value is its number. The name of the video ends before `DLC`.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.errors import UserError
from pipeline.formats.poses2d.frame_numbers import number_in_name
from pipeline.formats.poses2d.people import LoadedPoses, check_unique

_COORDS = ("x", "y", "likelihood")


def open_views(path: Path) -> dict[str, LoadedPoses]:
    """The view of a table; none if the file is something else.

    Raises UserError if a frame has no number or is there twice, or if a value is no number.
    """
    if not path.is_file() or path.suffix.lower() != ".csv":
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file)) if file.readline().startswith("scorer,") else []
    except UnicodeDecodeError:
        return {}
    if not rows:
        return {}
    # The first line was read already, as it only names the network.
    n_headers = next((i + 1 for i, row in enumerate(rows) if row and row[0] == "coords"), 0)
    headers = {row[0]: row for row in rows[:n_headers]}
    if not {"bodyparts", "coords"} <= headers.keys():
        return {}
    n_index = next(i for i, value in enumerate(headers["coords"]) if value in _COORDS)
    columns = list(zip(*(headers[name][n_index:] for name in ("individuals", "bodyparts", "coords") if name in headers),
                       strict=True))  # fmt: skip
    body = [row for row in rows[n_headers:] if row]
    try:
        values = np.array([[float(x) if x.strip() else np.nan for x in row[n_index:]] for row in body])
    except ValueError as error:
        raise UserError(f"A value is no number: {error}", where=str(path), fix="Correct it.") from None
    frames = [row[n_index - 1] for row in body]
    return {view_name(path): of_columns([c if len(c) == 3 else ("", *c) for c in columns], values, frames, path)}


def view_name(path: Path) -> str:
    """The name of the video that a file is of."""
    return path.stem.partition("DLC")[0].rstrip("_-. ") or path.stem


def of_columns(
    columns: Sequence[tuple[str, ...]], values: np.ndarray, frames: Sequence[str | int], path: Path
) -> LoadedPoses:
    """The poses of columns (individual, body part, coordinate), values (F, C), and numbers or image names of frames.

    Raises UserError if a frame has no number or is there twice.
    """
    numbers = [frame if isinstance(frame, int) else number_in_name(Path(frame).stem) for frame in frames]
    without = next((str(frame) for frame, n in zip(frames, numbers, strict=True) if n is None), None)
    if without is not None:
        raise UserError(f"The frame {without} has no number", where=str(path), fix="Name images after their frames.")
    of_frame = np.array(numbers, int)
    check_unique(of_frame, [str(frame) for frame in frames], str(path))
    individuals = list(dict.fromkeys(column[0] for column in columns))
    points = tuple(dict.fromkeys(column[1] for column in columns))
    filled = np.full((len(values), len(individuals), len(points), 3), np.nan)
    filled[..., 2] = 1.0 if not any(column[2] == "likelihood" for column in columns) else 0.0
    for i, (individual, part, coordinate) in enumerate(columns):
        filled[:, individuals.index(individual), points.index(part), _COORDS.index(coordinate)] = values[:, i]
    people = filled.reshape(-1, len(points), 3)
    owners = np.repeat(of_frame, len(individuals))
    return LoadedPoses(str(path), "named", points, None, np.sort(of_frame), owners, people)
