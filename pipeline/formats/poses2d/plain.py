"""Plain files of named points: CSV tables and npz archives, for sources that no other module reads.

CSV: a row for each person in each frame; columns `frame`, `NAME_x`, `NAME_y` and `NAME_confidence` of each point, and
optionally `view`. npz: `points_px` (frames, people, points, 2), or (frames, points, 2) for one person, `names` of the
points, and optionally `confidence`, `frames` (the number of each) and `size_px` (width, height). A file of several
views has their `views` and one more dimension after the frames.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.errors import UserError
from pipeline.formats.poses2d.people import LoadedPoses, check_unique

_CONFIDENCE = ("confidence", "likelihood", "score", "c")
_KEYS = ("points_px", "names", "confidence", "frames", "views", "size_px")


def open_csv(path: Path) -> dict[str, LoadedPoses]:
    """The views of a table; none if the file is something else.

    Raises UserError if a point lacks a coordinate, and if values are no numbers.
    """
    if not path.is_file() or path.suffix.lower() != ".csv":
        return {}
    try:
        columns = list(pd.read_csv(path, nrows=0, encoding="utf-8-sig").columns)
    except (ValueError, UnicodeDecodeError):
        return {}
    names = tuple(column[:-2] for column in columns if column.endswith("_x"))
    if "frame" not in columns or not names:
        return {}
    missing = [f"{name}_y" for name in names if f"{name}_y" not in columns]
    if missing:
        raise UserError(f"The columns {', '.join(missing)} are missing", where=str(path), fix="Add them.")
    table = pd.read_csv(path, encoding="utf-8-sig", dtype={"view": str})
    groups = table.groupby("view") if "view" in columns else [(path.stem, table)]
    return {str(view): _of_table(rows, names, path) for view, rows in groups}


def _of_table(table: pd.DataFrame, names: tuple[str, ...], path: Path) -> LoadedPoses:
    try:
        numbers = _frame_numbers(table["frame"].to_numpy(float), path)
        values = np.full((len(table), len(names), 3), 1.0)
        for i, name in enumerate(names):
            of_point = [f"{name}_x", f"{name}_y", *(f"{name}_{c}" for c in _CONFIDENCE if f"{name}_{c}" in table)]
            values[:, i, : len(of_point)] = table[of_point[:3]].to_numpy(float)
    except (ValueError, TypeError) as error:
        raise UserError(f"A value is no number: {error}", where=str(path), fix="Correct it.") from None
    if "person" in table:
        pairs = [f"{number}, {person}" for number, person in zip(numbers, table["person"], strict=True)]
        twice = table.duplicated(["frame", "person"])
        if twice.any():
            what = f"Frame and person {pairs[int(np.argmax(twice))]} are there twice"
            raise UserError(what, where=str(path), fix="Keep one row for each person in each frame.")
    return LoadedPoses(str(path), "named", names, None, np.unique(numbers), numbers, values)


def open_npz(path: Path) -> dict[str, LoadedPoses]:
    """The views of an archive; none if the file is something else.

    Raises UserError if its arrays do not fit together.
    """
    if not path.is_file() or path.suffix.lower() != ".npz":
        return {}
    with np.load(path) as file:
        data = {key: file[key] for key in _KEYS if key in file}
    if "points_px" not in data or "names" not in data:
        return {}
    px, names = data["points_px"], tuple(map(str, data["names"]))
    views = [str(view) for view in data["views"]] if "views" in data else [path.stem]
    if "views" not in data:
        px = px[:, None]
    px = px[:, :, None] if px.ndim == 4 else px
    if px.ndim != 5 or px.shape[1] != len(views) or px.shape[3:] != (len(names), 2):
        what = f"points_px is {data['points_px'].shape} with {len(views)} views and {len(names)} names"
        raise UserError(what, where=str(path), fix="It is (frames, views, people, points, 2).")
    confidence = np.broadcast_to(_confidence(data, px, path), px.shape[:4])
    numbers = _frame_numbers(data["frames"].astype(float), path) if "frames" in data else np.arange(len(px))
    if len(numbers) != len(px):
        what = f"There are {len(numbers)} frames and {len(px)} rows of points_px"
        raise UserError(what, where=str(path), fix="Give the number of each frame.")
    check_unique(numbers, [f"row {i}" for i in range(len(numbers))], str(path))
    size = data.get("size_px")
    if size is not None and (size.shape != (2,) or not (size > 0).all()):
        raise UserError(f"size_px is {size}", where=str(path), fix="Give the width and height of the images.")
    size_px = None if size is None else (int(size[0]), int(size[1]))
    values = np.concatenate([px, confidence[..., None]], -1)
    owners = np.repeat(numbers, px.shape[2])
    return {
        view: LoadedPoses(
            str(path), "named", names, size_px, np.sort(numbers), owners, values[:, v].reshape(-1, len(names), 3)
        )
        for v, view in enumerate(views)
    }  # fmt: skip


def _frame_numbers(numbers: np.ndarray, path: Path) -> np.ndarray:
    """Numbers (F,) of frames as integers. Raises UserError if one is missing, negative or no whole number."""
    is_wrong = ~(np.isfinite(numbers) & (numbers >= 0) & (numbers % 1 == 0))
    if is_wrong.any():
        row = int(np.argmax(is_wrong))
        what = f"The frame of row {row} is {numbers[row]:g}"
        raise UserError(what, where=str(path), fix="Frames are whole numbers from 0 on.")
    return numbers.astype(int)


def _confidence(data: dict[str, np.ndarray], px: np.ndarray, path: Path) -> np.ndarray:
    if "confidence" not in data:
        return np.ones(px.shape[:4])
    if data["confidence"].size != px[..., 0].size:
        what = f"confidence is {data['confidence'].shape} and points_px {data['points_px'].shape}"
        raise UserError(what, where=str(path), fix="Give one for each point.")
    return np.asarray(data["confidence"]).reshape(px.shape[:4])
