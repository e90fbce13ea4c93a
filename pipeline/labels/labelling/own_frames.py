"""Labels at the times of each view's own frames, for views that are out of step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.geometry.view_time import Between, ViewTime


@dataclass(frozen=True)
class OwnFrames:
    """Which labels are at the times of some rows of each view: arrays of the frames start..stop become those rows."""

    start: int
    stop: int
    n: int  # rows
    between: tuple[Between, ...]  # of each view, among the frames start..stop

    @classmethod
    def of(cls, times: Sequence[ViewTime], rows: tuple[int, int], n_frames: int) -> "OwnFrames":
        """The rows (start, stop) of views with these times, in a recording of n_frames frames."""
        own = np.arange(*rows, dtype=float)
        shown = [own if time.is_in_step else time.frames_at(own) for time in times]
        low = min((int(np.floor(frames.min(initial=rows[0]))) for frames in shown), default=rows[0])
        high = max((int(np.ceil(frames.max(initial=rows[1] - 1))) for frames in shown), default=rows[1] - 1)
        start, stop = max(low, 0), min(high + 1, n_frames)
        return cls(start, stop, len(own), tuple(Between.of(frames - start, stop - start) for frames in shown))

    def joints(self, values: np.ndarray) -> np.ndarray:
        """Values (frame, view, ...) between frames: (row, view, ...); NaN where a neighbour is NaN or missing."""
        return self._by_view(
            values, lambda between, own: between.interpolate(own[between.low], own[between.high])
        )  # fmt: skip

    def codes(self, values: np.ndarray) -> np.ndarray:
        """Codes (frame, view, ...) of the nearest frames: (row, view, ...); 0 where there is none."""

        def nearest(between: Between, own: np.ndarray) -> np.ndarray:
            weight = between.weight.reshape(-1, *[1] * (own.ndim - 1))
            codes = np.where(weight < 0.5, own[between.low], own[between.high])
            return np.where(np.isnan(weight), 0, codes).astype(own.dtype)

        return self._by_view(values, nearest)

    def _by_view(self, values: np.ndarray, of: Callable[[Between, np.ndarray], np.ndarray]) -> np.ndarray:
        return np.stack([of(between, values[:, v]) for v, between in enumerate(self.between)], 1)
