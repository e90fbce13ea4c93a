"""What a file of true points holds, and functions that the readers share."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

# Millimetres per unit of length, by the names that programs write.
MM_PER_UNIT = {
    "mm": 1.0, "millimeter": 1.0, "millimeters": 1.0, "millimetre": 1.0, "millimetres": 1.0,
    "cm": 10.0, "centimeter": 10.0, "centimeters": 10.0, "centimetre": 10.0, "centimetres": 10.0,
    "m": 1000.0, "meter": 1000.0, "meters": 1000.0, "metre": 1000.0, "metres": 1000.0,
}  # fmt: skip


@dataclass(frozen=True)
class NamedPoints:
    """The points of one person in the file's own axes; NaN where missing."""

    names: tuple[str, ...]
    points_mm: Float[np.ndarray, "row point 3"]
    times_s: Float[np.ndarray, " row"] | None  # of the rows; None: `frames` are known instead
    frames: Float[np.ndarray, " row"] | None = None  # numbers of the rows' frames in the videos, from 0


# Reads one file; raises ValueError, KeyError or TypeError if it does not understand the file.
Reader = Callable[[Path], NamedPoints]


def mm_per_unit(unit: str) -> float:
    """Millimetres per unit of length. Raises ValueError for an unknown unit.

    >>> mm_per_unit("m"), mm_per_unit(" MM ")
    (1000.0, 1.0)
    """
    known = MM_PER_UNIT.get(unit.strip().lower())
    if known is None:
        raise ValueError(f"The unit of length {unit.strip()!r} is not mm, cm or m")
    return known
