"""When a view's frames were taken, against the views in step: offset, drift and steps in one curve."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

# A row that lies so close to a frame, in frames, is that frame.
SAME_FRAME = 1e-6


@dataclass(frozen=True)
class ViewTime:
    """The time offset of a view in frames: its row f + offset(f) shows what the views in step show at frame f.

    The offset is linear between the knots and constant outside of them: one knot is a constant offset, two are a clock
    that drifts, two close together are a step where frames were dropped.
    """

    frames: tuple[float, ...] = (0.0,)  # increasing
    offsets: tuple[float, ...] = (0.0,)  # at these frames; rows must increase with frames

    @property
    def is_in_step(self) -> bool:
        """Whether the view shows the same moments as the views in step."""
        return not any(self.offsets)

    def rows(self, frames: Float[np.ndarray, " frame"]) -> Float[np.ndarray, " frame"]:
        """The rows of the view, with fractions, that show these frames of the views in step."""
        return frames + np.interp(frames, self.frames, self.offsets)

    def frames_at(self, rows: Float[np.ndarray, " row"]) -> Float[np.ndarray, " row"]:
        """The frames of the views in step, with fractions, that these rows of the view show."""
        knots = np.asarray(self.frames) + self.offsets
        return rows - np.interp(rows, knots, self.offsets)

    def corrected(self, left: "ViewTime") -> "ViewTime":
        """The time of the view if, after this offset was taken into account, another one is left."""
        own = left.frames_at(np.asarray(self.frames))
        frames = np.unique(np.concatenate([left.frames, own])) if len(self.frames) > 1 else np.asarray(left.frames)
        shown = left.rows(frames)
        return ViewTime(tuple(frames.tolist()), tuple((self.rows(shown) - frames).tolist()))


@dataclass(frozen=True)
class Between:
    """The two rows around each of some fractional rows, and how far it is from the first to the second."""

    low: Int[np.ndarray, " frame"]
    high: Int[np.ndarray, " frame"]
    weight: Float[np.ndarray, " frame"]  # of the second, 0-1; NaN beyond the ends

    @classmethod
    def of(cls, rows: Float[np.ndarray, " frame"], n: int) -> "Between":
        """The rows around fractional ones of n rows."""
        near = np.where(np.abs(rows - np.round(rows)) < SAME_FRAME, np.round(rows), rows)
        low, high = np.floor(near), np.ceil(near)
        weight = np.where((low >= 0) & (high < n), near - low, np.nan)
        low, high = (np.clip(row, 0, max(n - 1, 0)).astype(int) for row in (low, high))
        return cls(low, high, weight)

    def interpolate(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """The values (F, ...) between those of the two rows, linearly; NaN beyond the ends and where one is NaN."""
        w = self._weight_like(low)
        result: np.ndarray = (1 - w) * low + w * high
        return result

    def smaller(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """The smaller of the values (F, ...) of the two rows; NaN beyond the ends and where one is NaN."""
        result: np.ndarray = np.where(np.isnan(self._weight_like(low)), np.nan, np.minimum(low, high))
        return result

    def _weight_like(self, values: np.ndarray) -> np.ndarray:
        return self.weight.reshape(-1, *[1] * (values.ndim - 1))
