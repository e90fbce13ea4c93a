"""What is simulated and how much of it."""

from dataclasses import dataclass

# The setting of the targets: noise of the detections in px, and the share of gross outliers among them.
NOISE_PX, OUTLIERS = 5.0, 0.05


@dataclass(frozen=True)
class Sizes:
    """How much is simulated."""

    full: bool  # the slow peers and settings too
    people: int  # made up, where no motion is given
    captures: int  # each with a person and a rig of its own
    frames: int  # of a capture where the rig is known
    single_frames: int  # of a capture whose frames are calibrated one by one
    pooled: dict[int, int]  # how many captures of so many frames are calibrated
    adjusted: dict[int, int]  # how many captures of so many frames are adjusted from a given start
    long_frames: int  # of the capture on which what takes all frames at once is timed
    repeats: int  # of a timed call, of which the median counts


QUICK = Sizes(
    full=False, people=4, captures=6, frames=150, single_frames=10, pooled={10: 16, 100: 6, 1000: 2},
    adjusted={1000: 2}, long_frames=4_000, repeats=3,
)  # fmt: skip
FULL = Sizes(
    full=True, people=8, captures=20, frames=250, single_frames=20, pooled={10: 60, 100: 20, 1000: 8, 10_000: 3},
    adjusted={1000: 8}, long_frames=20_000, repeats=5,
)  # fmt: skip
