"""True points as TRC, the format of OpenSim, Pose2Sim and OpenCap."""

from pathlib import Path

import numpy as np

from pipeline.formats.truth.named_points import NamedPoints, mm_per_unit

N_LEADING = 2  # columns before the points: Frame# and Time


def read(path: Path) -> NamedPoints:
    """The points of a file; empty cells are missing, and the file states its unit.

    The third line holds the values of the second, the fourth the names, each above the first of three columns.
    """
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    if len(lines) < 6 or not lines[0].startswith("PathFileType"):
        raise ValueError("It does not begin as a TRC file: PathFileType")
    settings = dict(zip(lines[1].split(), lines[2].split(), strict=False))
    if "Units" not in settings:
        raise ValueError("Its second and third lines do not state the Units")
    cells = [cell.strip() for cell in lines[3].split("\t")]
    names = [cell for cell in cells[N_LEADING:] if cell] if len(cells) > N_LEADING else lines[3].split()[N_LEADING:]
    rows = [_row(line, len(names)) for line in lines[5:] if line.strip()]
    if not names or not rows:
        raise ValueError("It has no points or no frames")
    values = np.array(rows)
    points = mm_per_unit(settings["Units"]) * values[:, N_LEADING:].reshape(len(values), len(names), 3)
    return NamedPoints(tuple(names), points, values[:, 1])


def _row(line: str, n_points: int) -> list[float]:
    """The numbers of a line; NaN for empty cells and those that are missing at its end."""
    cells = line.rstrip("\r\n").split("\t") if "\t" in line else line.split()
    n = N_LEADING + 3 * n_points
    extra = [cell for cell in cells[n:] if cell.strip()]
    if extra:
        raise ValueError(f"A line has {len(cells)} values, though {n_points} points need {n}")
    numbers = [float(cell) if cell.strip() else float("nan") for cell in cells[:n]]
    return numbers + [float("nan")] * (n - len(numbers))
