"""The 2D poses of a capture on their way into the store, from detectors and from files alike."""

import logging
from dataclasses import dataclass

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Capture, Recording
from pipeline.errors import UserError
from pipeline.labels.moments import at_moments
from pipeline.stores import Poses2dRecord, Poses2dStore

log = logging.getLogger("epiline")

# The stage fails if the detector crashes on more than this share of the images and more than this number of them, as
# bad images cannot be the cause then.
MAX_CRASHES, FEW_CRASHES = 0.03, 3
ARRAYS = ("joints_px", "confidence", "box_px", "landmarks_px", "landmark_confidence")


@dataclass(frozen=True)
class Found:
    """The result of a task."""

    arrays: dict[str, np.ndarray]  # those of POSES2D, (N, V, ...), float32
    n_crashed: np.ndarray  # (V,) images on which the detector crashed, or whose file could not be read
    crash: str | None  # the message of the first of them
    n_others: np.ndarray | None = None  # (V,) frames with further people; None: the detector finds only one


def write_detections(store: Poses2dStore, recording: Recording, results: list[Found]) -> Poses2dRecord:
    """Write the detections of a recording and return its record."""
    arrays = at_moments(recording, {name: np.concatenate([found.arrays[name] for found in results]) for name in ARRAYS})
    n_landmarks = arrays["landmarks_px"].shape[2]
    sizes = {"frame": recording.n_frames, "view": len(recording.views), "landmark": n_landmarks}
    names = [view.name for view in recording.views]
    n_found = np.isfinite(arrays["box_px"]).all(-1).sum(0)
    n_crashed = np.sum([found.n_crashed for found in results], axis=0)
    n_others = [found.n_others for found in results if found.n_others is not None]
    record = Poses2dRecord(
        persons=[recording.subject], views=names,
        found={v: int(n) for v, n in zip(names, n_found, strict=True)},
        crashed={v: int(n) for v, n in zip(names, n_crashed, strict=True)},
        others={v: int(n) for v, n in zip(names, np.sum(n_others, axis=0), strict=True)} if n_others else {},
    )  # fmt: skip
    store.create(recording.name, sizes, record).person(0).write(0, arrays)
    return record


def report_detections(capture: Capture, records: list[Poses2dRecord], source: str) -> list[Alert]:
    """Log the share of frames with a person for each view; return an alert for each recording and view without any.

    Raises UserError if nobody was found at all.
    """
    totals: dict[str, np.ndarray] = {}  # of each view name: frames with a person, frames
    alerts = []
    for recording, record in zip(capture.recordings, records, strict=True):
        for view, n in record.found.items():
            totals[view] = totals.get(view, np.zeros(2, int)) + np.array([n, recording.n_frames])
        if not any(record.found.values()):
            alerts.append(_nobody(recording.name, "no person was found in any view"))
    n_found, n_images = np.sum(list(totals.values()), axis=0)
    if n_found == 0:
        fix = "Check that the frames show a whole person of a good size, or choose another detect.detector."
        raise UserError(f"{source} found no person in any of {n_images} images", where="detect", fix=fix)
    shares = ", ".join(f"{view} {100 * n / of:.1f} %" for view, (n, of) in totals.items())
    log.info("Person found: %s", shares)
    return [*alerts, *_empty_views(totals)]


def _nobody(subject: str, message: str) -> Alert:
    mend = "Check that the video shows a person of a good size, or choose another detect.detector."
    return Alert(kind="nobody_found", severity="warning", subject=subject, message=message, mend=mend)


def _empty_views(totals: dict[str, np.ndarray]) -> list[Alert]:
    """An alert for each view name without any person, from the numbers of frames with a person and of frames."""
    return [_nobody(view, f"no person was found in any of {of} images") for view, (n, of) in totals.items() if n == 0]


def failure_alerts(
    kind: str, what: str, capture: Capture, records: list[Poses2dRecord], results: list[Found]
) -> list[Alert]:
    """The alert about a few images that failed, `what` being what failed on them; none if none did.

    Raises UserError if there are more than a few bad images can explain.
    """
    crash = next((result.crash for result in results if result.crash), None)
    if crash is None:
        return []
    n_failed = sum(sum(record.crashed.values()) for record in records)
    n_images = sum(recording.n_frames * len(recording.views) for recording in capture.recordings)
    first = f"the first time with {crash}"
    if n_failed > max(MAX_CRASHES * n_images, FEW_CRASHES):
        fix = "Remove the cause, or choose another detect.detector."
        raise UserError(f"{what} on {n_failed} of {n_images} images, {first}", where="detect", fix=fix)
    message = f"{what} on {n_failed} of {n_images} images, which count as frames without a person"
    return [Alert(kind=kind, severity="note", subject="detector", message=message, evidence=first)]
