"""Heights of the subjects, from a table beside the footage."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.alerts import Alert
from pipeline.datasets.tables import read_table
from pipeline.datasets.takes import Take
from pipeline.errors import UserError

HEIGHTS_MM = (500.0, 2500.0)  # range of a person's height: other values are taken for another unit


def read_heights(path: Path) -> dict[str, float]:
    """Heights in mm by subject, from a CSV file with the columns subject and height_mm; empty without the file.

    The text may be UTF-8, UTF-16 or Latin-1. Raises UserError for a missing column and for a height outside HEIGHTS_MM.
    """
    if not path.exists():
        return {}
    heights: dict[str, float] = {}
    for line, row in read_table(path):
        try:
            subject, height_mm = row["subject"], float(row["height_mm"].replace(",", "."))
        except (KeyError, ValueError):
            fix = "Write the columns subject,height_mm, for example S1,1780."
            raise UserError(f"{path} has no subject and height", where=f"line {line}", fix=fix) from None
        if not HEIGHTS_MM[0] <= height_mm <= HEIGHTS_MM[1]:
            what = f"height_mm = {height_mm:g} of {subject} is not a height in mm"
            raise UserError(what, where=f"{path}, line {line}", fix="A person of 1.78 m has 1780.")
        heights[subject] = height_mm
    return heights


def alerts_of_unknown_subjects(heights_mm: Mapping[str, float], takes: Sequence[Take]) -> list[Alert]:
    """An alert about the subjects in the table of whom there is no recording, as their names may be misspelt."""
    subjects = list(dict.fromkeys(take.subject for take in takes))
    unknown = [subject for subject in heights_mm if subject not in subjects]
    lacking = [subject for subject in subjects if subject not in heights_mm]
    if not (unknown and lacking):
        return []
    return [Alert(
        kind="unknown_subjects", severity="note", subject="subjects.csv",
        message=f"there is no recording of {', '.join(unknown)}, and no height of {', '.join(lacking)}",
        mend="Write the subjects as in the names of the recordings.",
    )]  # fmt: skip
