"""Measurement of errors and times, and printing of tables."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.metrics import pa_mpjpe

# A frame with this PA-MPJPE or more has failed; a frame without labels counts as this error.
FAILED_MM = 150.0
# The least total time over which calls are repeated, in seconds.
MIN_TIMED_S = 0.2


def mean_or_failed(errors: np.ndarray) -> float:
    """Mean error in mm; a missing error counts as FAILED_MM."""
    return float(np.where(np.isfinite(errors), errors, FAILED_MM).mean())


def cpu_seconds(function: Callable[[], Any], repeats: int) -> float:
    """Median CPU seconds of a call, over all threads. If more than one call is timed, a warm-up call comes first.

    Calls of a few milliseconds are repeated more often than `repeats`, as the median of a few such calls is noisy.
    """
    if repeats > 1:
        function()
    times: list[float] = []
    while len(times) < repeats or (repeats > 1 and sum(times) < MIN_TIMED_S):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return float(np.median(times))


@dataclass(frozen=True)
class Errors:
    """Errors of points (F, J, 3) against the truth, in mm."""

    mean: float  # of single joints, not aligned
    p99: float
    pa: float  # PA-MPJPE, mean over frames; a frame without labels counts as FAILED_MM
    given: float  # share of the joints that have a point

    @classmethod
    def of(cls, points: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> "Errors":
        """The errors over all captures; joints without a point affect only `given`."""
        distance = np.concatenate([np.linalg.norm(p - x, axis=-1).ravel() for p, x in zip(points, truth, strict=True)])
        aligned = np.concatenate([pa_mpjpe(p, x) for p, x in zip(points, truth, strict=True)])
        known = np.isfinite(distance)
        return cls(
            float(distance[known].mean()), float(np.percentile(distance[known], 99)), mean_or_failed(aligned),
            float(known.mean()),
        )  # fmt: skip


class Table:
    """A table whose rows are printed when they are added."""

    def __init__(self, title: str, note: str, columns: Sequence[str]):
        self.columns = columns
        print(f"\n{title}\n{note}\n")
        self._print(columns)
        print("-" * len(self._line(columns)), flush=True)

    def row(self, name: str, *cells: float | str | None) -> None:
        """Print a row; None is a cell without a value."""
        self._print([name, *(_formatted(cell) for cell in cells)])

    def _print(self, cells: Sequence[str]) -> None:
        print(self._line(cells), flush=True)

    def _line(self, cells: Sequence[str]) -> str:
        widths = [max(len(column), 9) for column in self.columns[1:]]
        return f"{cells[0]:<46}" + "".join(f"  {cell:>{w}}" for cell, w in zip(cells[1:], widths, strict=True))


def _formatted(cell: float | str | None) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    if cell == 0 or 1e-3 <= abs(cell) < 1000:
        return f"{cell:.3g}" if abs(cell) < 100 else f"{cell:.0f}"
    return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.1e}"
