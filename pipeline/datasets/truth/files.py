"""The truth of a capture from files `truth.*` in the folders of its recordings."""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Capture, Recording
from pipeline.datasets.takes import Take
from pipeline.datasets.truth.placing import check_is_seen, check_size, place
from pipeline.errors import UserError
from pipeline.formats.truth.joint_names import JointsOfPoints, joints_of_points
from pipeline.formats.truth.named_points import NamedPoints
from pipeline.formats.truth.truth_file import FORMATS, is_truth_file, read_points
from pipeline.geometry.verification.given_size import SizeOfPeople
from pipeline.params.capture import TruthParams
from pipeline.stores import TRUTH, TruthRecord, TruthStore, TruthSummary, create_store

log = logging.getLogger("epiline")

NAMES = ", ".join(f"truth{ending}" for ending in FORMATS)


def write_truth(params: TruthParams, takes: Sequence[Take], capture: Capture, path: Path) -> list[Alert]:
    """Write the truth of the capture's recordings to a store, if the parameters say that there is any.

    Returns alerts about files that are not used. Raises UserError if truth is asked for and no recording has any.
    """
    folders = {take.name: take.folder for take in takes}
    files = {recording.name: _find(folders[recording.name]) for recording in capture.recordings}
    if params.coordinates == "none":
        return _alerts_of_unused(files)
    if not any(files.values()):
        fix = f"Put one of {NAMES} into the folders of the recordings, or set capture.truth.coordinates=none."
        raise UserError(f"capture.truth.coordinates = {params.coordinates}, but no recording has a truth", fix=fix)
    alerts, refused = _alerts_of_missing(files), []
    summary = TruthSummary(source=capture.source, is_aligned=params.coordinates == "aligned")
    with create_store(path, TRUTH, summary) as store:
        for recording in capture.recordings:
            file = files[recording.name]
            try:
                alerts += _write(store, recording, file, params) if file else []
            except UserError as error:
                refused.append(_alert_of_refused(recording, error))
        if not list(store):
            first = refused[0]
            raise UserError(f"No truth is usable: {first.evidence}", where=first.subject, fix=first.mend)
    return alerts + refused


def _find(folder: Path) -> Path | None:
    """The file of truth in a folder; None if there is none. Raises UserError for several."""
    found = sorted(file for file in folder.iterdir() if is_truth_file(file))
    if len(found) > 1:
        names = ", ".join(file.name for file in found)
        raise UserError(f"{folder} holds several files of truth: {names}", fix="Keep one of them.")
    return found[0] if found else None


def _write(store: TruthStore, recording: Recording, file: Path, params: TruthParams) -> list[Alert]:
    """Write the truth of one recording from its file; alerts about what it lacks."""
    points = read_points(file)
    try:
        found = joints_of_points(points.names, points.points_mm)
    except ValueError as error:
        raise UserError(f"{file}: {error}", fix="Rename the points; docs/data.md has the names.") from None
    if not np.isfinite(found.joints_mm).any():
        raise UserError(f"{file} has no values of the joints: all are missing")
    size = check_size(found.joints_mm)
    time_s = points.times_s - params.start_s if points.times_s is not None else _times(points, recording)
    is_during = (time_s >= 0) & ((time_s * recording.fps < recording.n_frames) | (recording.n_frames <= 0))
    check_is_seen(found.joints_mm[is_during], recording, params)
    joints = place(found.joints_mm, recording, params)
    log.info("%s: truth of %d joints, %d rows", file, len(found.sources), len(joints))
    record = TruthRecord(
        persons=[recording.subject], source=file.name, sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        coordinates=_stated(params), missing=found.missing,
    )  # fmt: skip
    group = store.create(recording.name, {"frame": len(joints)}, record).person(0)
    for start, stop in group.shards():
        group.write(start, {"joints_world_mm": joints[start:stop], "time_s": time_s[start:stop]})
    return _doubts(recording, file, found, size)


def _times(points: NamedPoints, recording: Recording) -> np.ndarray:
    """The times (row,) of rows that have frame numbers instead."""
    return np.asarray(points.frames) / recording.fps


def _stated(params: TruthParams) -> str:
    """What the coordinates were taken for, in words."""
    if params.coordinates == "aligned":
        return "aligned"
    of_camera = f" {params.camera}" if params.coordinates == "camera" else ""
    return f"{params.coordinates}{of_camera}, axes {params.axes}"


def _doubts(recording: Recording, file: Path, found: JointsOfPoints, size: SizeOfPeople | None) -> list[Alert]:
    alerts = []
    if found.missing:
        alerts.append(Alert(
            kind="truth_without_joints", severity="note", subject=recording.name,
            message=f"{file.name} has no {', '.join(found.missing)}, which take no part where it is used",
            mend="Scores of whole poses (PSS) need all 17; if the file has them, name them as docs/data.md does.",
        ))  # fmt: skip
    if size is not None and size.verdict == "unusual":
        alerts.append(Alert(
            kind="truth_size", severity="note", subject=recording.name,
            message=f"the person of {file.name} is {size.ratio:.2f} times as large as a mean adult",
            evidence=f"standard deviation {size.std:.2f}", mend="Check the unit of length in the file.",
        ))  # fmt: skip
    return alerts


def _alert_of_refused(recording: Recording, error: UserError) -> Alert:
    return Alert(
        kind="truth_refused", severity="error", subject=recording.name,
        message="its truth is not used", evidence=error.what, mend=error.fix,
    )  # fmt: skip


def _alerts_of_missing(files: dict[str, Path | None]) -> list[Alert]:
    return [
        Alert(kind="truth_missing", severity="note", subject=name, message=f"it has no truth: none of {NAMES}")
        for name, file in files.items()
        if file is None
    ]


def _alerts_of_unused(files: dict[str, Path | None]) -> list[Alert]:
    return [
        Alert(
            kind="truth_unused", severity="note", subject=name, message=f"{file.name} is not read",
            mend="Set capture.truth.coordinates to say what its coordinates are.",
        )
        for name, file in files.items()
        if file is not None
    ]  # fmt: skip
