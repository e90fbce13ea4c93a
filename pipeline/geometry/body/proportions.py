"""Mean adult proportions and how far people, and detectors' joints, differ from them.

Lengths are distances between joint centres: the mean of Drillis and Contini's shares of a stature of 1720 mm (Body
segment parameters, 1966) and of the means over men and women of P. de Leva (Adjustments to Zatsiorsky-Seluyanov's
segment inertia parameters, 1996).
"""

from typing import NamedTuple

import numpy as np

from pipeline.skeleton import joint

STATURE_MM = 1720.0
# Relative standard deviation of the stature of an adult of unknown sex: 5.5 % in the survey of U.S. Army personnel of
# 2012 (C. Gordon et al., NATICK/TR-15/007), whose means are 1756 mm (men, standard deviation 69) and 1628 mm (women,
# 64). It is common to all segments of a person.
STATURE_STD = 0.055
# Relative standard deviation of one segment's length among adults of the same stature. In the same survey the lengths
# of upper arm, forearm and leg scatter by 5 to 6 % within a sex and correlate with the stature by 0.75 to 0.85.
PROPORTION_STD = 0.035
# The trunk also becomes shorter when it bends.
TRUNK_STD = 0.05
# Relative standard deviation of the measured stature of a person who wears shoes or does not stand straight.
HEIGHT_STD = 0.01
# Height of the ankle's centre as a share of the stature: Drillis and Contini.
ANKLE_SHARE = 0.039


class Segment(NamedTuple):
    """A segment between two joints, by their names without the side."""

    start: str
    end: str
    adult_mm: float


# The limbs, whose joints every detector marks, of each side.
LIMBS = (
    Segment("hip", "knee", 408.0),
    Segment("knee", "ankle", 428.0),
    Segment("shoulder", "elbow", 299.0),
    Segment("elbow", "wrist", 259.0),
)
# The trunk, from the middle of the hips to the middle of the shoulders: the joints on the trunk differ too much.
SEGMENTS = (*LIMBS, Segment("shoulder", "hip", 501.0))
TRUNK = len(LIMBS)
ADULT_MM = np.array([segment.adult_mm for segment in SEGMENTS])
PROPORTION_STDS = np.array([PROPORTION_STD] * len(LIMBS) + [TRUNK_STD])

# Standard deviation in mm, along each axis, of a detector's joint from the anatomical centre. A detector makes the
# same error on both sides and on all people. Hips of different data sets lie 30 to 100 mm apart.
PLACEMENT_STD_MM = {"hip": 40.0, "shoulder": 25.0, "knee": 25.0, "elbow": 20.0, "ankle": 20.0, "wrist": 20.0}

# The bones whose lengths add up to the stature, except the height of the ankle above the ground.
STATURE_BONES = (
    *(tuple((f"{side}_{a}", f"{side}_{b}") for side in "lr") for a, b in (("hip", "knee"), ("knee", "ankle"))),
    *(((a, b),) for a, b in (("pelvis", "spine"), ("spine", "thorax"), ("thorax", "neck"), ("neck", "head"))),
)  # of each: the bones of both sides, or the one bone of the trunk
# Relative standard deviation of a detector's distance from the ankles to the top of the head. The top of the head lies
# up to 50 mm apart in different data sets.
STATURE_DEFINITION_STD = 0.03


def segment_ends(segment: Segment) -> tuple[tuple[int, int], tuple[int, int]]:
    """The indices of the left and right joint at the start, and at the end, of a segment."""
    return tuple((joint(f"l_{name}"), joint(f"r_{name}")) for name in segment[:2])  # type: ignore[return-value]
