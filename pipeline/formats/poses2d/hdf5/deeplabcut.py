"""DeepLabCut's tables of predictions, HDF5 as pandas writes them; Anipose's `pose-2d` files are the same.

pandas has two layouts. In a `frame_table` all values are in one table and the names of its columns are pickled; in a
`frame` the levels of the names are arrays. Both are read without PyTables.
"""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import UserError
from pipeline.formats.poses2d.deeplabcut import of_columns, view_name
from pipeline.formats.poses2d.hdf5.file import opened_h5, text
from pipeline.formats.poses2d.people import LoadedPoses


def open_views(path: Path) -> dict[str, LoadedPoses]:
    """The view of a file; none if it is something else.

    Raises UserError if h5py is not installed, or if the table is not one of points.
    """
    with opened_h5(path) as file:
        if file is None:
            return {}
        kinds = {"frame_table": _of_table, "frame": _of_arrays}
        for group in (one for one in file.values() if hasattr(one, "keys")):
            read = kinds.get(text(group.attrs.get("pandas_type", "")))
            if read is not None:
                columns, frames, values = read(group, path)
                return {view_name(path): of_columns(columns, values, frames, path)}
    return {}


def _of_table(group: Any, path: Path) -> tuple[list[tuple[str, ...]], list[int | str], np.ndarray]:
    table = group["table"][()]
    try:
        ((_, names),) = _Plain(io.BytesIO(bytes(group.attrs["non_index_axes"]))).load()
    except (pickle.UnpicklingError, ValueError, EOFError) as error:
        what = f"The names of the columns cannot be read: {error}"
        raise UserError(what, where=str(path), fix="Save it as CSV in DeepLabCut.") from None
    blocks = [name for name in table.dtype.names if name.startswith("values_block_")]
    if len(blocks) != 1:
        what = f"The table has {len(blocks)} blocks of values"
        raise UserError(what, where=str(path), fix="Save it as CSV in DeepLabCut.")
    return [_column(name, path) for name in names], _frames(table["index"]), np.asarray(table[blocks[0]], float)


def _of_arrays(group: Any, path: Path) -> tuple[list[tuple[str, ...]], list[int | str], np.ndarray]:
    n_levels = int(group.attrs.get("block0_items_nlevels", 1))
    if n_levels < 3 or "block1_values" in group:
        raise UserError("The table is not one of points", where=str(path), fix="Save it as CSV in DeepLabCut.")
    levels = [
        np.array([text(name) for name in group[f"block0_items_level{i}"][()]])[group[f"block0_items_label{i}"][()]]
        for i in range(n_levels)
    ]
    names = [tuple(map(str, name)) for name in zip(*levels, strict=True)]
    return [_column(name, path) for name in names], _frames(group["axis1"][()]), group["block0_values"][()]


def _column(name: tuple[str, ...], path: Path) -> tuple[str, ...]:
    """Individual, body part and coordinate of a column's name, which begins with the network."""
    if len(name) not in (3, 4) or name[-1] not in ("x", "y", "likelihood"):
        raise UserError(f"The column {name} is not one of points", where=str(path), fix="Save it as CSV in DeepLabCut.")
    return ("", *name[1:]) if len(name) == 3 else name[1:]


def _frames(index: np.ndarray) -> list[int | str]:
    return [int(one) if isinstance(one, int | np.integer) else text(one) for one in index]


class _Plain(pickle.Unpickler):
    """Unpickles lists, tuples and strings only."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name} is not a plain value")
