"""Heights of the subjects, from a table beside the footage."""

import csv
from pathlib import Path

from pipeline.errors import UserError

HEIGHTS_MM = (500.0, 2500.0)  # range of a person's height: other values are taken for another unit


def read_heights(path: Path) -> dict[str, float]:
    """Heights in mm by subject, from a CSV file with the columns subject and height_mm; empty without the file.

    Raises UserError for a missing column and for a height outside HEIGHTS_MM.
    """
    if not path.exists():
        return {}
    heights: dict[str, float] = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        for line, row in enumerate(csv.DictReader(file, skipinitialspace=True), start=2):
            try:
                subject, height_mm = row["subject"], float(row["height_mm"])
            except (KeyError, TypeError, ValueError):
                fix = "Write the columns subject,height_mm, for example S1,1780."
                raise UserError(f"{path} has no subject and height", where=f"line {line}", fix=fix) from None
            if not HEIGHTS_MM[0] <= height_mm <= HEIGHTS_MM[1]:
                what = f"height_mm = {height_mm:g} of {subject} is not a height in mm"
                raise UserError(what, where=f"{path}, line {line}", fix="A person of 1.78 m has 1780.")
            heights[subject] = height_mm
    return heights
