"""Follows the person of a recording through all frames before labels are made, and rejects labels of nobody."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Recording
from pipeline.geometry.triangulation.bone_lengths import millimetre
from pipeline.geometry.triangulation.labelling import Labelled, Status
from pipeline.geometry.triangulation.person.body_checks import leaps, wrong_proportions
from pipeline.geometry.triangulation.person.follow import PersonPath, Whose, follow_person
from pipeline.geometry.triangulation.person.hypotheses import STRICT, USUAL, find_hypotheses
from pipeline.geometry.triangulation.person.several_people import SeveralPeople, find_other_people, judge_people
from pipeline.geometry.triangulation.person.side_states import SideStates, find_side_states
from pipeline.geometry.triangulation.person.sides import Sides, decide_sides
from pipeline.labels.observations import Observations
from pipeline.skeleton import LIMB_JOINTS, N_JOINTS

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
    sides: Sides  # of all frames
    fps: float
    moves: bool  # whether all frames have one world, in which the person moves

    def judged(self, made: Labelled, rows: tuple[int, int]) -> Labelled:
        """The labels of some frames without those that are not of the person or cannot be right."""
        whose = self.path.whose[slice(*rows)]
        for who, status in REASONS.items():
            made = made.rejected((whose == who)[:, None], status)
        unsided = np.zeros(made.status.shape, bool)
        unsided[:, LIMB_JOINTS] = self.sides.is_ambiguous[slice(*rows), None]
        made = made.rejected(unsided, Status.AMBIGUOUS_SIDES)
        if np.isfinite(self.lengths).any():
            wrong = wrong_proportions(made.points, made.covariance, self.lengths)
            made = made.rejected(wrong, Status.WRONG_PROPORTIONS)
        if self.moves:
            unit = millimetre(made.points, self.lengths)
            made = made.rejected(leaps(made.points, made.uncertainty, self.fps, unit), Status.LEAP)
        return made


def follow(
    observe: Observe, rows: tuple[int, int], lengths: np.ndarray, fps: float, *, moves: bool, several: bool
) -> PersonPath:
    """Choose the views that show the person in each of the rows (start, stop), with `several` people in view or not."""
    agreement = STRICT if several else USUAL
    blocks = (find_hypotheses(*seen, agreement) for seen in _blocks(observe, rows))
    return follow_person(blocks, lengths, fps, moves=moves, several=several)


def several_people(observe: Observe, rows: tuple[int, int], fps: float) -> SeveralPeople | None:
    """What says that several people are in view in the rows (start, stop); None if nothing does."""
    return judge_people((find_other_people(*seen) for seen in _blocks(observe, rows)), fps)


def follow_sides(observe: Observe, path: PersonPath, lengths: np.ndarray, fps: float) -> Sides:
    """Decide where only two views show the person, and which of them have left and right swapped."""
    n_frames, n_views = path.other.shape
    unit = millimetre(np.zeros((0, N_JOINTS, 3)), lengths)
    last, parts, first = None, [], 0
    for points_norm, sigma, R, t in _blocks(observe, (0, n_frames)):
        of_others = path.other[first : first + len(sigma), None]
        sigma = np.where(of_others, np.inf, sigma)
        states, last = find_side_states(points_norm, sigma, R, t, lengths, first=first, fps=fps, unit=unit, last=last)
        parts.append(states)
        first += len(sigma)
    return decide_sides(SideStates.joined(parts), n_frames, n_views, fps)


def _blocks(observe: Observe, rows: tuple[int, int]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Image points, their sigma, rotations and translations of successive blocks of the rows."""
    for start in range(*rows, FRAMES_PER_BLOCK):
        seen, R, t = observe((start, min(start + FRAMES_PER_BLOCK, rows[1])))
        yield seen.points_norm, seen.sigma, R, t


def several_people_alert(recording: Recording, found: SeveralPeople) -> Alert:
    """The warning that names several people as the cause of missing and doubtful labels."""
    shares = zip(recording.views, found.share_by_view, strict=True)
    views = ", ".join(f"{view.name} {share:.0%}" for view, share in shares if share > 0)
    evidence = (
        f"in {found.share:.0%} of the frames a view shows a person {found.distance / 1000:.1f} m from where others see "
        f"theirs: {views}"
    )
    mend = (
        "Crop or mask the videos to one person, or use a detector that keeps to one; labels of several people are not "
        "made yet. If there is only one, check whether a camera was moved."
    )
    return Alert(
        kind="several_people", severity="warning", subject=recording.name, evidence=evidence, mend=mend,
        message="several people are in view, and the detector marks one or the other",
    )  # fmt: skip
