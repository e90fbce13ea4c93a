"""Checks of the report's inputs: consistency of the stores with the capture and each other, and valid values.

A missing joint has NaN in all its coordinates. Labels and detections may lack joints; the report counts them. The
network predicts every frame in which the detector found a person, so a prediction that lacks joints in such a frame is
refused: means without these frames would be too good. Infinite values and partly known joints are refused too.
"""

import numpy as np

from pipeline.capture import Capture, Recording
from pipeline.errors import UserError
from pipeline.geometry.triangulation.labelling import Status
from pipeline.skeleton import N_JOINTS
from pipeline.stores import LabelStore, Poses2dStore, PredictionStore, TruthStore

RERUN = "Run dvc repro to make it again."


def read_checked(
    store: Poses2dStore | LabelStore | PredictionStore | TruthStore, recording: Recording, name: str,
    shape: tuple[int, ...],
) -> np.ndarray:  # fmt: skip
    """Read an array of a recording's person and check its shape against the capture: (frame, [view,] [joint,] ...).

    Raises UserError for another shape, infinite values, and joints or boxes with only some of their coordinates.
    """
    values, where = store[recording.name].person(0)[name], f"{store.path}, {recording.name}"
    if values.shape != shape:
        what = f"{name} has shape {_shape(values.shape)}, but the frames, views and joints of the capture need"
        raise UserError(f"{what} {_shape(shape)}", where=where, fix=RERUN)
    n_infinite = int(np.isinf(values).sum())
    if n_infinite:
        what = f"{n_infinite} of {values.size} values of {name} are infinite; missing values are NaN"
        raise UserError(what, where=where, fix=RERUN)
    known = np.isfinite(values)
    n_partial = int((known.any(-1) & ~known.all(-1)).sum()) if shape[-1] != N_JOINTS else 0
    if n_partial:
        what = f"{n_partial} of {known[..., 0].size} rows of {name} have only some of their coordinates"
        raise UserError(what, where=where, fix=RERUN)
    return values


def refuse_missing_recordings(predictions: PredictionStore, poses2d: Poses2dStore, capture: Capture) -> None:
    """Raise UserError if recordings of the predicted split have detections but no predictions."""
    split = predictions.summary.split
    expected = {r.name for r in capture.recordings if r.split == split and r.name in poses2d}
    missing = sorted(expected - set(predictions))
    if missing:
        what = f"{predictions.path} lacks {len(missing)} of {len(expected)} {split} recordings that {poses2d.path} has"
        raise UserError(f"{what}: {', '.join(missing)}", fix=RERUN)


def refuse_gaps(predictions: PredictionStore, recording: Recording, predicted: np.ndarray, found: np.ndarray) -> None:
    """Raise UserError if a prediction lacks joints although a person was found.

    `predicted` (frame, view, joint) marks the predicted joints, `found` (frame, view) the frames with a person.
    """
    gaps = (found | predicted.any(-1)) & ~predicted.all(-1)
    if gaps.any():
        what = f"{int(gaps.sum())} of {int(found.sum())} predicted poses lack joints (NaN), though the detector found"
        views = ", ".join(recording.views[v].name for v in np.flatnonzero(gaps.any(0)))
        where = f"{predictions.path}, {recording.name}, {views}"
        raise UserError(f"{what} the person", where=where, fix="Train again, or check the program that wrote them.")


def checked_status(labels: LabelStore, recording: Recording) -> np.ndarray:
    """Read the Status of a recording's labels, (frame, joint).

    Raises UserError if valid joints are NaN, or if rejected joints have coordinates.
    """
    shape = (recording.n_frames, N_JOINTS)
    status = read_checked(labels, recording, "status", shape)
    joints = read_checked(labels, recording, "joints_world_mm", (*shape, 3))
    wrong = (status == Status.VALID) != np.isfinite(joints).all(-1)
    if wrong.any():
        what = f"the status of {int(wrong.sum())} of {status.size} labels contradicts their coordinates"
        raise UserError(what, where=f"{labels.path}, {recording.name}", fix=RERUN)
    return status


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)
