"""Leaves out of a calibration what views show of other people than the person on whom most of them agree."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.capture import Recording
from pipeline.geometry.calibration.calibrated_rig import Rig
from pipeline.geometry.triangulation.person.hypotheses import STRICT, find_hypotheses
from pipeline.geometry.triangulation.person.several_people import find_other_people, judge_people
from pipeline.labels.observations import Observations

# A view that shows others in more of the frames is wrong as a whole, which other checks judge.
MAX_SHARE = 0.5
# Of fewer views that agree against others, nobody knows whom they show.
MIN_AGREEING = 3


def mixed_people(pool: Sequence[Recording], observed: Sequence[Observations], rig: Rig) -> list[np.ndarray]:
    """Where views (F, V) of each recording of a pool show other people, or may do so; nowhere for one person."""
    return [_mixed(*one, rig) for one in zip(pool, observed, strict=True)]


def _mixed(recording: Recording, observed: Observations, rig: Rig) -> np.ndarray:
    seen = observed.scale_focal(rig.focal_scale)
    inputs = seen.points_norm, seen.sigma, rig.R[None], rig.t[None]
    nothing = np.zeros((len(seen.sigma), len(rig.t)), bool)
    fps = recording.fps * len(seen.sigma) / recording.n_frames  # of the frames that were read
    if judge_people([find_other_people(*inputs)], fps) is None:
        return nothing
    hypotheses = find_hypotheses(*inputs, STRICT)
    best = np.arange(len(nothing)), hypotheses.costs[:, :-1].argmin(1)
    agree = hypotheses.views[best] & np.isfinite(hypotheses.costs[best])[:, None]
    others = hypotheses.tells & ~agree
    undecided = others.any(1) & (agree.sum(1) < MIN_AGREEING)
    mixed = others | undecided[:, None]
    return nothing if mixed.mean(0).max() > MAX_SHARE else mixed


def without(observed: Sequence[Observations], mixed: Sequence[np.ndarray]) -> list[Observations]:
    """The observations as not seen where `mixed` (F, V) is true."""
    return [
        replace(one, sigma=np.where(where[:, None], np.inf, one.sigma))
        for one, where in zip(observed, mixed, strict=True)
    ]
