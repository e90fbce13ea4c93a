"""The 2D poses of a recording at common times: detections of views that are out of step are interpolated."""

from collections.abc import Sequence

import numpy as np

from pipeline.geometry.view_time import Between, ViewTime
from pipeline.stores.records import Poses2dRecord
from pipeline.stores.store import RecordingGroup

CONFIDENCES = ("confidence", "landmark_confidence")


class Detections:
    """The 2D poses of one person; row f of every view is at the moment of frame f of the views in step.

    Without times, all views are taken to be in step.

    A view with a time offset is interpolated linearly between its frames. Its confidence is the smaller one of the two
    frames, and it has no detection where one of them has none or does not exist.
    """

    def __init__(self, poses: RecordingGroup[Poses2dRecord], times: Sequence[ViewTime] = ()) -> None:
        self._poses, self._times = poses, times

    @property
    def n_rows(self) -> int:
        """Number of frames."""
        return self._poses.n_rows

    def rows(self, name: str, start: int, stop: int) -> np.ndarray:
        """An array of POSES2D (frame, view, ...) in the rows start..stop."""
        return self.at(name, np.arange(start, stop))

    def at(self, name: str, rows: np.ndarray) -> np.ndarray:
        """An array of POSES2D (frame, view, ...) in some rows (n,), in increasing order."""
        own = {
            v: Between.of(time.rows(rows.astype(float)), self.n_rows)
            for v, time in enumerate(self._times) if not time.is_in_step
        }  # fmt: skip
        if not own:
            return self._read(name, rows)
        read = np.unique(np.concatenate([rows, *(row for one in own.values() for row in (one.low, one.high))]))
        values = self._read(name, read)
        result = values[np.searchsorted(read, rows)]
        for v, between in own.items():
            low, high = (values[np.searchsorted(read, row), v] for row in (between.low, between.high))
            is_confidence = name in CONFIDENCES
            result[:, v] = between.smaller(low, high) if is_confidence else between.interpolate(low, high)
        return result

    def _read(self, name: str, rows: np.ndarray) -> np.ndarray:
        if not len(rows):
            return self._poses.rows(name, 0, 0)
        if rows[-1] - rows[0] == len(rows) - 1:
            return self._poses.rows(name, int(rows[0]), int(rows[-1]) + 1)
        return self._poses.at(name, rows)
