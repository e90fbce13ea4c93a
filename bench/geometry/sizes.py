"""Sizes of the simulated benchmarks."""

from dataclasses import dataclass

# The default setting: noise of the detections in px, and the share of gross outliers among them.
NOISE_PX, OUTLIERS = 5.0, 0.05


@dataclass(frozen=True)
class Sizes:
    """Numbers of people, captures, frames and repeats."""

    full: bool  # whether slow libraries and settings are run too
    people: int  # synthetic people, if no motion is given
    captures: int  # each with its own person and rig
    frames: int  # of a capture where the rig is known
    single_frames: int  # of a capture whose frames are calibrated one by one
    pooled: dict[int, int]  # frames of a capture -> number of captures that are calibrated
    adjusted: dict[int, int]  # frames of a capture -> number of captures that are adjusted from a given start
    long_frames: int  # of the capture on which batched methods are timed
    repeats: int  # of a timed call; the median is reported


QUICK = Sizes(
    full=False, people=4, captures=6, frames=150, single_frames=10, pooled={10: 16, 100: 6, 1000: 2},
    adjusted={1000: 2}, long_frames=4_000, repeats=3,
)  # fmt: skip
FULL = Sizes(
    full=True, people=8, captures=20, frames=250, single_frames=20, pooled={10: 60, 100: 20, 1000: 8, 10_000: 3},
    adjusted={1000: 8}, long_frames=20_000, repeats=5,
)  # fmt: skip
