"""One unit of length for recordings whose scale nothing fixed: people as large as a mean adult.

Networks that see all recordings need them in one unit, and no view tells a small person nearby from a large one far
away.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.capture import Recording
from pipeline.errors import UserError
from pipeline.geometry.calibration.scale import bone_scale
from pipeline.learning.lifting.recordings import joints_in_world
from pipeline.learning.supervision import PoseTargets

log = logging.getLogger("epiline")
RecordingTargets = tuple[Recording, PoseTargets]


def in_adult_size(training: Sequence[RecordingTargets]) -> tuple[list[RecordingTargets], dict[str, float]]:
    """The targets in mm, and the factor of each recording whose scale nothing fixed, by name.

    The factor makes the bones of the recording's labels those of a mean adult. A recording whose labels lack bones
    takes the median factor of the recordings of the same rig, which have the same unit; where there is none, the
    recording is left out. Raises UserError where all are.
    """
    unscaled = [(recording, targets) for recording, targets in training if not targets.has_scale]
    own = {recording.name: bone_scale(_joints(recording, targets)) for recording, targets in unscaled}
    factors = {}
    for recording, _ in unscaled:
        same_rig = [own[other.name] for other, _ in unscaled if other.rig == recording.rig]
        factor = own[recording.name] if np.isfinite(own[recording.name]) else _median(same_rig)
        if not np.isfinite(own[recording.name]):
            what = f"scaled by {factor:.4g} as the other recordings of its rig" if np.isfinite(factor) else "left out"
            log.warning("Recording %s: too few bones are labelled to tell its scale; it is %s", recording.name, what)
        if np.isfinite(factor):
            factors[recording.name] = factor
    kept = [
        (r, _scaled(targets, factors.get(r.name))) for r, targets in training if targets.has_scale or r.name in factors
    ]
    if not kept:
        what = f"None of {len(training)} training recordings has enough labelled bones to tell its scale"
        raise UserError(what, fix="Set calibrate.scale to bones or height, or look at what triangulate rejected.")
    return kept, factors


def _joints(recording: Recording, targets: PoseTargets) -> np.ndarray:
    views = recording.view_indices(for_labels=True)
    R, t = targets.R_cam_from_world[:, views], targets.t_cam_from_world_mm[:, views]
    return joints_in_world(targets.joints_cam_mm[:, views], R, t)


def _scaled(targets: PoseTargets, factor: float | None) -> PoseTargets:
    if factor is None:
        return targets
    return replace(
        targets, joints_cam_mm=factor * targets.joints_cam_mm, t_cam_from_world_mm=factor * targets.t_cam_from_world_mm,
        has_scale=True,
    )  # fmt: skip


def _median(values: Sequence[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.median(known)) if known else float("nan")
