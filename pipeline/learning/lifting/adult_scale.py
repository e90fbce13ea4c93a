"""A common unit of length for recordings without a known scale: people are scaled to the size of a mean adult.

A network that is trained on all recordings needs one unit, and an image does not distinguish a small person nearby from
a large person far away.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.capture import Recording
from pipeline.geometry.body.scale import bone_scale
from pipeline.learning.lifting.recordings import joints_in_world
from pipeline.learning.supervision import PoseTargets
from pipeline.learning.training_alerts import NoTrainingDataError

log = logging.getLogger("epiline")
RecordingTargets = tuple[Recording, PoseTargets]


def in_adult_size(training: Sequence[RecordingTargets]) -> tuple[list[RecordingTargets], dict[str, float]]:
    """The targets in mm, and by name the factor of each recording without a known scale.

    The factor scales the bones of the recording's labels to those of a mean adult. A recording whose labels lack bones
    gets the median factor of the recordings of the same rig, which have the same unit; without one, the recording is
    left out. Raises NoTrainingDataError if all recordings are left out.
    """
    unscaled = [(recording, targets) for recording, targets in training if not targets.has_scale]
    own = {recording.name: bone_scale(joints_in_world(recording, targets)) for recording, targets in unscaled}
    factors = {}
    for recording, _ in unscaled:
        same_rig = [own[other.name] for other, _ in unscaled if other.rig == recording.rig]
        factor = own[recording.name] if np.isfinite(own[recording.name]) else _median(same_rig)
        if not np.isfinite(own[recording.name]):
            what = f"scaled by {factor:.4g} like the other recordings of its rig" if np.isfinite(factor) else "left out"
            log.warning("Recording %s: too few bones are labelled to find its scale; it is %s", recording.name, what)
        if np.isfinite(factor):
            factors[recording.name] = factor
    kept = [
        (r, _scaled(targets, factors.get(r.name))) for r, targets in training if targets.has_scale or r.name in factors
    ]
    if not kept:
        what = f"None of {len(training)} training recordings has enough labelled bones to find its scale"
        raise NoTrainingDataError(
            what, fix="Set calibrate.scale to bones or height, or check which joints triangulate rejected."
        )
    return kept, factors


def _scaled(targets: PoseTargets, factor: float | None) -> PoseTargets:
    if factor is None:
        return targets
    return replace(
        targets, joints_cam_mm=factor * targets.joints_cam_mm,
        t_cam_from_world_mm=factor * targets.t_cam_from_world_mm,
        has_scale=True,
    )  # fmt: skip


def _median(values: Sequence[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.median(known)) if known else float("nan")
