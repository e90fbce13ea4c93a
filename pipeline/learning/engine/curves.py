"""Training curves: CSV files for `dvc plots`, with about one row per epoch."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.files import atomic_write


@contextmanager
def curve_file(path: Path, columns: tuple[str, ...]) -> Iterator["Curve"]:
    """Open a curve for writing; the file is renamed to its final name if the block ends without an error."""
    with atomic_write(path) as aside, aside.open("w", newline="") as file:
        yield Curve(csv.writer(file), columns)


class Curve:
    """Writes the rows of a curve."""

    def __init__(self, writer: Any, columns: tuple[str, ...]) -> None:
        self._writer, self._columns = writer, columns
        writer.writerow(columns)

    def add(self, **values: float) -> None:
        """Add a row; the keywords are the names of the columns."""
        self._writer.writerow([f"{values[name]:.6g}" for name in self._columns])
