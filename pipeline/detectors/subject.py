"""The subject among several people of a view: the person with the largest sum of area times confidence over time."""

from dataclasses import dataclass, field

import numpy as np

# The same person in two frames: the points that both have lie within this share of the person's size on the mean.
MAX_STEP = 0.5
# A person who was not found for more frames than this starts anew.
MAX_GAP = 15
# Where the subject is not found, people of another stretch of frames may be the subject if their area times confidence
# is at least this share of the subject's.
MIN_SHARE = 0.4


@dataclass
class _Track:
    """One person over time."""

    members: list[int] = field(default_factory=list)  # people
    last_row: int = -1

    def fits(self, row: int) -> bool:
        return 0 < row - self.last_row <= MAX_GAP


def choose_subject(rows: np.ndarray, points_px: np.ndarray, confidence: np.ndarray, n_rows: int) -> np.ndarray:
    """The index of the subject among P people for each of `n_rows` frames; -1: nobody.

    `rows` (P,) are the frames of the people, increasing; points are (P, L, 2), NaN where missing, confidence (P, L).
    People are linked over time. The subject is the one with the largest sum of area (of a square as large as the
    person) times mean confidence; in frames without the subject, the next such person who is not much smaller or less
    sure.
    """
    chosen = np.full(n_rows, -1)
    if not len(rows):
        return chosen
    size = _size_px(points_px)
    weight = size**2 * confidence.mean(1)
    least = 0.0
    for track in sorted(_tracks(rows, points_px, size), key=lambda one: -weight[one.members].sum()):
        members = np.array(track.members)
        usual = float(np.median(weight[members]))
        least = least or MIN_SHARE * usual
        free = chosen[rows[members]] < 0
        if usual >= least and free.all():
            chosen[rows[members]] = members
    return chosen


def _tracks(rows: np.ndarray, points_px: np.ndarray, size: np.ndarray) -> list[_Track]:
    tracks: list[_Track] = []
    live: list[_Track] = []
    starts = np.flatnonzero(np.r_[True, np.diff(rows) > 0])
    for first, last in zip(starts, [*starts[1:], len(rows)], strict=True):
        row, people = int(rows[first]), list(range(first, last))
        live = [track for track in live if track.fits(row)]
        pairs = sorted(
            (_distance(points_px[track.members[-1]], points_px[p], size[p]), t, p)
            for t, track in enumerate(live) for p in people
        )  # fmt: skip
        taken: set[int] = set()
        free = set(people)
        for distance, t, p in pairs:
            if distance <= MAX_STEP and t not in taken and p in free:
                live[t].members.append(p)
                live[t].last_row = row
                taken.add(t)
                free.discard(p)
        new = [_Track([p], row) for p in sorted(free)]
        tracks += new
        live += new
    return tracks


def _distance(a: np.ndarray, b: np.ndarray, size: float) -> float:
    """Mean distance of the points that both people have, over the size; infinite without any."""
    apart = np.linalg.norm(a - b, axis=-1)
    known = np.isfinite(apart)
    return float(apart[known].mean() / max(size, 1.0)) if known.any() else np.inf


def _size_px(points_px: np.ndarray) -> np.ndarray:
    """The diagonal (P,) of the box around the points of each person."""
    known = np.isfinite(points_px)
    extent = np.where(known, points_px, -np.inf).max(1) - np.where(known, points_px, np.inf).min(1)
    return np.asarray(np.linalg.norm(extent, axis=-1))
