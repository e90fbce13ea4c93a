"""The size of people in cameras with a given unit of length, and the unit that would make them adults."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.geometry.body.scale import Scale

# People's size over that of a mean adult: beyond the first limits it is unusual (children, very tall people), beyond
# the second it is impossible for a person who stands up alone.
USUAL, POSSIBLE = (0.85, 1.18), (0.55, 1.45)
# A size is judged if it differs from a mean adult's by this many standard deviations.
SIGMAS = 2.0
# What the numbers of a file are, by the factor that corrects lengths that were taken as another unit.
UNITS = {
    0.001: "millimetres that were read as metres", 0.01: "centimetres that were read as metres",
    0.0254: "inches that were read as metres", 0.3048: "feet that were read as metres",
    1000.0: "metres that were read as millimetres", 10.0: "centimetres that were read as millimetres",
    25.4: "inches that were read as millimetres", 304.8: "feet that were read as millimetres",
}  # fmt: skip
# Other units lie this close, in standard deviations of the factor.
UNIT_SIGMAS = 2.0


@dataclass(frozen=True)
class SizeOfPeople:
    """People's size over that of a mean adult, and what it says about the unit of length."""

    ratio: float
    std: float  # relative
    verdict: Literal["usual", "unusual", "impossible"]
    unit: str | None  # what the given numbers seem to be; None: no common unit


def judge_size(scale: Scale) -> SizeOfPeople | None:
    """Judge the scale at which people would have mean adult bones; None if it is unknown.

    >>> judge_size(Scale(0.01, 0.06))
    SizeOfPeople(ratio=100.0, std=0.06, verdict='impossible', unit='centimetres that were read as metres')
    """
    if not np.isfinite(scale.factor):
        return None
    ratio = 1 / scale.factor
    certain = abs(np.log(ratio)) > SIGMAS * scale.std
    if not certain or USUAL[0] <= ratio <= USUAL[1]:
        return SizeOfPeople(ratio, scale.std, "usual", None)
    verdict: Literal["unusual", "impossible"] = "unusual" if POSSIBLE[0] <= ratio <= POSSIBLE[1] else "impossible"
    distance = {unit: abs(np.log(scale.factor / factor)) for factor, unit in UNITS.items()}
    nearest = min(distance, key=lambda unit: distance[unit])
    is_unit = verdict == "impossible" and distance[nearest] <= UNIT_SIGMAS * scale.std
    return SizeOfPeople(ratio, scale.std, verdict, nearest if is_unit else None)
