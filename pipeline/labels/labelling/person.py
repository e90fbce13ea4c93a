"""Follows the person of a recording through all frames before labels are made, and rejects labels of nobody."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.geometry.triangulation.bone_lengths import millimetre
from pipeline.geometry.triangulation.labelling import Labelled, Status
from pipeline.geometry.triangulation.person.body_checks import leaps, wrong_proportions
from pipeline.geometry.triangulation.person.follow import PersonPath, Whose, follow_person
from pipeline.geometry.triangulation.person.hypotheses import Hypotheses, find_hypotheses
from pipeline.labels.observations import Observations

FRAMES_PER_BLOCK = 2048
REASONS = {
    Whose.NOBODY: Status.VIEWS_DISAGREE,
    Whose.AMBIGUOUS: Status.AMBIGUOUS_PERSON,
    Whose.OTHER: Status.OTHER_PERSON,
}
# Observations of the rows (start, stop), and the rig: rotations and translations.
Observe = Callable[[tuple[int, int]], tuple[Observations, np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Person:
    """The person of a recording."""

    lengths: np.ndarray  # (16,) bone lengths in the rig's unit; NaN if unknown
    path: PersonPath  # of all frames
    fps: float
    moves: bool  # whether all frames have one world, in which the person moves

    def judged(self, made: Labelled, rows: tuple[int, int]) -> Labelled:
        """The labels of some frames without those that are not of the person or cannot be right."""
        whose = self.path.whose[slice(*rows)]
        for who, status in REASONS.items():
            made = made.rejected((whose == who)[:, None], status)
        if np.isfinite(self.lengths).any():
            wrong = wrong_proportions(made.points, made.covariance, self.lengths)
            made = made.rejected(wrong, Status.WRONG_PROPORTIONS)
        if self.moves:
            unit = millimetre(made.points, self.lengths)
            made = made.rejected(leaps(made.points, made.uncertainty, self.fps, unit), Status.LEAP)
        return made


def follow(observe: Observe, rows: tuple[int, int], lengths: np.ndarray, fps: float, *, moves: bool) -> PersonPath:
    """Choose the views that show the person in each of the rows (start, stop)."""

    def blocks() -> Iterator[Hypotheses]:
        for start in range(*rows, FRAMES_PER_BLOCK):
            seen, R, t = observe((start, min(start + FRAMES_PER_BLOCK, rows[1])))
            yield find_hypotheses(seen.points_norm, seen.sigma, R, t)

    return follow_person(blocks(), lengths, fps, moves=moves)
