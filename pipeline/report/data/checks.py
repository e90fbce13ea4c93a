"""What the report refuses: stores that do not fit the capture or each other, and values that no stage writes.

A joint whose coordinates are all NaN is missing; labels and detections may lack joints, and what they lack is counted.
The network is asked about every frame in which a person was found, so what its predictions lack there is refused: left
out of the means it would make them better than they are. So is anything infinite, and half a joint.
"""

import numpy as np

from pipeline.capture import Capture, Recording
from pipeline.errors import UserError
from pipeline.geometry.triangulation.labelling import Status
from pipeline.skeleton import N_JOINTS
from pipeline.stores import Store

AGAIN = "Run dvc repro to make it again."


def fitting(store: Store, recording: Recording, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """An array of a recording in a store, whose shape the capture gives: (frame, [view,] [joint,] ...).

    Raises UserError for another shape, infinite values, and joints or boxes of which only some coordinates are known.
    """
    values, where = store[recording.name][name], f"{store.path}, {recording.name}"
    if values.shape != shape:
        what = f"{name} is {_told(values.shape)} in size, but the capture's frames, views and joints ask for"
        raise UserError(f"{what} {_told(shape)}", where=where, fix=AGAIN)
    infinite = int(np.isinf(values).sum())
    if infinite:
        what = f"{infinite} of {values.size} values of {name} are infinite; what is missing is NaN"
        raise UserError(what, where=where, fix=AGAIN)
    known = np.isfinite(values)
    halves = int((known.any(-1) & ~known.all(-1)).sum()) if shape[-1] != N_JOINTS else 0
    if halves:
        what = f"{halves} of {known[..., 0].size} rows of {name} have some of their coordinates but not all"
        raise UserError(what, where=where, fix=AGAIN)
    return values


def refuse_left_out(predictions: Store, poses2d: Store, capture: Capture) -> None:
    """Raise UserError where recordings that the network was to predict, and that have detections, are not there."""
    split = predictions.attrs["split"]
    asked = {r.name for r in capture.recordings if r.split == split and r.name in poses2d}
    absent = sorted(asked - set(predictions))
    if absent:
        what = f"{predictions.path} lacks {len(absent)} of {len(asked)} {split} recordings that {poses2d.path} has"
        raise UserError(f"{what}: {', '.join(absent)}", fix=AGAIN)


def refuse_gaps(predictions: Store, recording: Recording, given: np.ndarray, found: np.ndarray) -> None:
    """Raise UserError where a prediction lacks joints though a person was found.

    `given` (frame, view, joint) says which joints the predictions have, `found` (frame, view) where a person was.
    """
    gaps = (found | given.any(-1)) & ~given.all(-1)
    if gaps.any():
        what = f"{int(gaps.sum())} of {int(found.sum())} predicted poses lack joints (NaN), though the detector found"
        views = ", ".join(recording.views[v].name for v in np.flatnonzero(gaps.any(0)))
        where = f"{predictions.path}, {recording.name}, {views}"
        raise UserError(f"{what} the person", where=where, fix="Train again, or look at what wrote them.")


def counted(labels: Store, recording: Recording) -> np.ndarray:
    """The status of a recording's labels, (frame, joint): what counts the joints that are missing, and why.

    Raises UserError where it calls joints valid that are NaN, or gives a reason for missing joints that are there.
    """
    shape = (recording.n_frames, N_JOINTS)
    status, joints = (
        fitting(labels, recording, "status", shape),
        fitting(labels, recording, "joints_world_mm", (*shape, 3)),
    )
    wrong = (status == Status.VALID) != np.isfinite(joints).all(-1)
    if wrong.any():
        what = f"the status of {int(wrong.sum())} of {status.size} labels does not say whether they are there"
        raise UserError(what, where=f"{labels.path}, {recording.name}", fix=AGAIN)
    return status


def _told(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)
