"""True points as CSV: a column `time_s` or `frame`, and NAME_x, NAME_y, NAME_z in mm, or NAME_x_m and so on."""

import csv
from pathlib import Path

import numpy as np

from pipeline.formats.truth.named_points import NamedPoints, mm_per_unit

SEPARATORS = ";\t,"  # where a comma separates decimals, programs write a semicolon or a tab between columns
UNITS = ("", "_mm", "_cm", "_m")  # endings of the columns' names after the axis; without one: mm


def read(path: Path) -> NamedPoints:
    """The points of a file; empty cells are missing."""
    lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    separator = next((one for one in SEPARATORS if lines and one in lines[0]), ",")
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=separator)]
    header = rows[0] if rows else []
    if len(rows) < 2 or any(len(row) != len(header) for row in rows):
        raise ValueError(f"It needs a line of names and lines of {len(header)} values")
    values = np.array([[_number(cell, decimal_comma=separator != ",") for cell in row] for row in rows[1:]])
    units = [unit for unit in UNITS if any(name.endswith(f"_x{unit}") for name in header)]
    if len(units) > 1:
        raise ValueError(f"Its columns have several units: NAME_x{' and NAME_x'.join(units)}")
    unit = units[0] if units else ""
    names = [name.removesuffix(f"_x{unit}") for name in header if name.endswith(f"_x{unit}")]
    if not names:
        raise ValueError("It has no columns NAME_x, NAME_y, NAME_z")
    columns = [[header.index(f"{name}_{axis}{unit}") for axis in "xyz"] for name in names]
    points = mm_per_unit(unit.removeprefix("_") or "mm") * values[:, np.array(columns)]
    times, frames = (values[:, header.index(key)] if key in header else None for key in ("time_s", "frame"))
    return NamedPoints(tuple(names), points, times, frames)


def _number(cell: str, *, decimal_comma: bool) -> float:
    if not cell:
        return float("nan")
    return float(cell.replace(",", ".") if decimal_comma else cell)
