"""Clocks that run at different rates: offsets that grow linearly over a recording."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.geometry.verification.time_offset import SURE, TimeOffsets
from pipeline.geometry.view_time import ViewTime

# Largest misfit of a line through the offsets of the parts, in squared standard deviations per degree of freedom.
MAX_MISFIT = 9.0


@dataclass(frozen=True)
class Part:
    """The offsets in a part of a recording."""

    frames: np.ndarray  # (F,) of the recording
    offsets: TimeOffsets


def drift_left(parts: Sequence[Part], reference: np.ndarray, n_frames: int) -> dict[int, ViewTime]:
    """The offsets of views whose clocks run at another rate than those of the reference views (V,), linear in time.

    None without parts, and of views whose offsets in the parts are not on a line.
    """
    if len(parts) < 3:
        return {}
    found: dict[int, ViewTime] = {}
    ends, slopes = np.array([0.0, n_frames - 1]), np.zeros(len(reference))
    middle = np.array([part.frames.mean() for part in parts])
    # Of two reference views it is not known which one drifts.
    for v in np.flatnonzero(~reference | (reference.sum() > 2)).tolist():
        others = reference & (np.arange(len(reference)) != v)
        offset, std = np.array([part.offsets.from_reference(others) for part in parts])[:, :, v].T
        if not np.isfinite(offset).all():
            continue
        (slope, at_0), covariance = np.polyfit(middle, offset, 1, w=1 / std, cov="unscaled")
        misfit = float((((offset - at_0 - slope * middle) / std) ** 2).sum()) / (len(parts) - 2)
        if abs(slope) > SURE * np.sqrt(covariance[0, 0]) and misfit < MAX_MISFIT:
            slopes[v] = abs(slope)
            found[v] = ViewTime(tuple(ends.tolist()), tuple((at_0 + slope * ends).tolist()))
    # A reference view that drifts from the others makes them seem to drift.
    steepest = int(np.where(reference, slopes, -1.0).argmax())
    return {v: time for v, time in found.items() if not reference[v] or v == steepest}
