"""What is simulated and how much of it."""

from dataclasses import dataclass

# The setting of the targets: noise of the detections in px, and the share of gross outliers among them.
NOISE_PX, OUTLIERS = 5.0, 0.05


@dataclass(frozen=True)
class Sizes:
    """How much is simulated."""

    full: bool  # the slow peers, settings and curves too
    captures: int  # each with a person and a rig of its own
    frames: int  # of a capture where the rig is known
    long_frames: int  # of the capture on which what takes all frames at once is timed
    repeats: int  # of a timed call, of which the median counts


QUICK = Sizes(full=False, captures=6, frames=150, long_frames=4_000, repeats=3)
FULL = Sizes(full=True, captures=20, frames=250, long_frames=100_000, repeats=5)
