"""The people that a file has in some frames of one view, and the interface of such a file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from pipeline.errors import UserError


@dataclass(frozen=True)
class People:
    """P people in some frames of one view; a point that was not found is NaN and has confidence 0."""

    rows: np.ndarray  # (P,) increasing: row of each person's frame among the frames that were asked for
    points_px: np.ndarray  # (P, L, 2) in the pixels of the file
    confidence: np.ndarray  # (P, L) 0-1
    broken: dict[int, str] = field(default_factory=dict)  # rows of the frames that could not be read, and why

    @classmethod
    def of(cls, rows: Sequence[int] | np.ndarray, points: np.ndarray, broken: dict[int, str] | None = None) -> "People":
        """The people of points (P, L, 3): x, y and confidence.

        A point is missing if its confidence is 0, if one of its values is not finite, or if it lies at (0, 0), where
        programs put what they did not find. A person without any point is left out.
        """
        points = np.asarray(points, float)
        xy, confidence = points[..., :2], points[..., 2]
        seen = np.isfinite(points).all(-1) & (confidence > 0) & (xy != 0).any(-1)
        is_person = seen.any(-1)
        order = np.argsort(np.asarray(rows, int)[is_person], kind="stable")
        px = np.where(seen[..., None], xy, np.nan)[is_person][order]
        kept = np.where(seen, np.minimum(confidence, 1), 0)[is_person][order]
        return cls(np.asarray(rows, int)[is_person][order], px, kept, broken or {})


class PoseFile(Protocol):
    """The 2D poses of one view, in a file or in a folder with a file for each frame."""

    @property
    def where(self) -> str:
        """The path, for messages."""
        ...

    @property
    def skeleton(self) -> str:
        """The name of the set of points; empty if the files have nobody by whom to tell."""
        ...

    @property
    def points(self) -> tuple[str, ...]:
        """The names of the L points; empty if the files have nobody by whom to tell."""
        ...

    @property
    def size_px(self) -> tuple[int, int] | None:
        """Width and height of the images that the points are of; None: not stated."""
        ...

    @property
    def numbers(self) -> np.ndarray:
        """The numbers (N,) of the frames as the files have them, increasing, those without people too."""
        ...

    def read(self, rows: np.ndarray) -> People:
        """The people in the frames of some rows of `numbers`; rows of the result count within `rows`."""
        ...


@dataclass(frozen=True)
class LoadedPoses:
    """A `PoseFile` that is held in memory."""

    where: str
    skeleton: str
    points: tuple[str, ...]
    size_px: tuple[int, int] | None
    numbers: np.ndarray
    owners: np.ndarray  # (P,) the frame's number of each person
    values: np.ndarray  # (P, L, 3) x, y and confidence

    def read(self, rows: np.ndarray) -> People:
        """The people in the frames of some rows of `numbers`."""
        wanted = self.numbers[rows]
        at = np.searchsorted(wanted, self.owners)
        found = (at < len(wanted)) & (wanted[np.minimum(at, len(wanted) - 1)] == self.owners) if len(wanted) else at > 0
        return People.of(at[found], self.values[found])


def check_unique(numbers: np.ndarray, names: Sequence[str], where: str) -> None:
    """Raise UserError if two files or entries are of the same frame."""
    values, counts = np.unique(numbers, return_counts=True)
    if (counts > 1).any():
        number = values[counts > 1][0]
        same = [name for name, own in zip(names, numbers, strict=True) if own == number]
        what = f"{' and '.join(same[:3])} are of the same frame, {number}"
        raise UserError(what, where=where, fix="Keep one for each frame.")
