"""The formats of files of true points, and the reader of all of them."""

from pathlib import Path

import numpy as np

from pipeline.errors import UserError
from pipeline.formats.truth import c3d, npz, table, trc
from pipeline.formats.truth.named_points import NamedPoints, Reader

# By the ending of the file's name. Adding a format is one module and one line here.
FORMATS: dict[str, Reader] = {".npz": npz.read, ".csv": table.read, ".trc": trc.read, ".c3d": c3d.read}


def is_truth_file(path: Path) -> bool:
    """Whether a file beside videos holds their truth, by its name: truth.npz and so on, in any letter case."""
    return path.stem.lower() == "truth" and path.suffix.lower() in FORMATS


def read_points(path: Path) -> NamedPoints:
    """Read and check a file of true points.

    Raises UserError if the file is not understood, and for rows without increasing times or frames, for infinite
    values, and for points of which only some coordinates are known.
    """
    try:
        found = FORMATS[path.suffix.lower()](path)
        _check(found)
    except (ValueError, KeyError, TypeError, OSError) as error:
        what = f"{path} cannot be read as truth: {str(error).rstrip('.')}"
        raise UserError(what, fix="docs/data.md describes the files.") from None
    return found


def _check(found: NamedPoints) -> None:
    at = found.times_s if found.times_s is not None else found.frames
    if at is None:
        raise ValueError("It has neither the time (time_s) nor the frame of its rows")
    if at.shape != (len(found.points_mm),):
        raise ValueError(f"It has {len(found.points_mm)} rows, but {at.size} times or frames")
    if not np.isfinite(at).all() or (np.diff(at) <= 0).any():
        row = int(np.flatnonzero(~((np.diff(at, prepend=-np.inf) > 0) & np.isfinite(at)))[0])
        raise ValueError(f"The times or frames of its rows do not increase at row {row}")
    if np.isinf(found.points_mm).any():
        raise ValueError("It has infinite values; missing ones are empty or NaN")
    known = np.isfinite(found.points_mm)
    partial = known.any(-1) & ~known.all(-1)
    if partial.any():
        row, point = np.argwhere(partial)[0]
        raise ValueError(f"{found.names[point]} has only some of its coordinates at row {row}")
