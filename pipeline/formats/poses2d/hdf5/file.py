"""HDF5 files, for which the optional package h5py is needed."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import UserError

_ENDINGS = (".h5", ".hdf5")
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@contextmanager
def opened_h5(path: Path) -> Iterator[Any]:
    """Give the open file, an `h5py.File`; None if it is no HDF5 file.

    Raises UserError if h5py is not installed.
    """
    if not _is_h5(path):
        yield None
        return
    try:
        h5py = importlib.import_module("h5py")
    except ImportError:
        fix = "Install it with pip install '.[h5]', or convert the file to CSV."
        raise UserError(f"{path.name} needs the package h5py", where=str(path.parent), fix=fix) from None
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise UserError(f"The file is damaged: {error}", where=str(path), fix="Copy it again.") from None
    with file:
        yield file


def _is_h5(path: Path) -> bool:
    if not path.is_file() or path.suffix.lower() not in _ENDINGS:
        return False
    with path.open("rb") as file:
        return file.read(len(_SIGNATURE)) == _SIGNATURE


def text(value: bytes | str) -> str:
    """A string of a file."""
    return value.decode() if isinstance(value, bytes) else str(value)
