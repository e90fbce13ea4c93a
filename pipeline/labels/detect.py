"""Detects the 2D poses of a whole capture: each task handles all views of one shard of a recording's frames."""

import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from pipeline.capture import Capture, Recording, read_capture
from pipeline.detectors import load_detector
from pipeline.detectors.protocol import Detections, Detector
from pipeline.errors import UserError
from pipeline.frames import PackedFrames
from pipeline.labels.workers import run_tasks
from pipeline.params import DetectParams
from pipeline.progress import progress
from pipeline.skeleton import N_JOINTS
from pipeline.stores import POSES2D, Store, reopen, writing

log = logging.getLogger("epiline")


@dataclass(frozen=True)
class _Job:
    """What the tasks of one recording share; plain paths, so that it is cheap to send to a worker."""

    recording: str
    files: list[Path]  # packed frames, one per view
    backgrounds: list[Path | None]  # of each view
    store: Path
    weights: Path
    params: DetectParams


@dataclass(frozen=True)
class _Tally:
    """How a task went, per view."""

    n_found: np.ndarray  # (V,)
    n_crashed: np.ndarray  # (V,)
    crash: str | None  # what the detector said when it first crashed


def detect_capture(frames: Path, weights: Path, poses2d: Path, params: DetectParams) -> None:
    """Detect the person in every packed frame and write the store of 2D poses.

    A frame on which the detector crashes has no person in it, and is counted.
    Raises UserError where no person is found in any frame.
    """
    capture = read_capture(frames.resolve())
    detector = load_detector(weights, params)
    poses2d.parent.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(dir=poses2d.parent.resolve(), prefix="backgrounds.", suffix=".partial") as scratch,
        writing(poses2d.resolve(), POSES2D, detector=detector.provenance()) as store,
    ):
        backgrounds = _write_backgrounds(capture, detector, Path(scratch))
        tasks: list[tuple[_Job, int, int]] = []
        for recording in capture.recordings:
            job = _job(recording, backgrounds, store, weights.resolve(), params)
            group = store.create(recording.name, {"frame": recording.n_frames, "view": len(recording.views)})
            tasks += [(job, start, stop) for start, stop in group.shards()]
        tallies = run_tasks(_detect_shard, tasks, "Detection", unit="shard")
        _report(capture, store, [job.recording for job, _, _ in tasks], tallies)


def _job(
    recording: Recording,
    backgrounds: dict[tuple[str, str], Path | None],
    store: Store,
    weights: Path,
    params: DetectParams,
) -> _Job:
    files = [Path(view.file) for view in recording.views]
    grounds = [backgrounds[recording.rig, view.name] for view in recording.views]
    return _Job(recording.name, files, grounds, store.path, weights, params)


def _write_backgrounds(capture: Capture, detector: Detector, folder: Path) -> dict[tuple[str, str], Path | None]:
    """What the detector needs to know of each camera, (rig, view), from all that it filmed, in files."""
    clips: dict[tuple[str, str], list[PackedFrames]] = {}
    for recording in capture.recordings:
        for view in recording.views:
            clips.setdefault((recording.rig, view.name), []).append(PackedFrames(view.file))
    paths: dict[tuple[str, str], Path | None] = {}
    for camera, filmed in progress(clips.items(), "Backgrounds", total=len(clips), unit="camera"):
        background = detector.background(filmed)
        path = folder / f"{len(paths)}.npy"
        paths[camera] = None if background is None else path
        if background is not None:
            np.save(path, background)
    return paths


@lru_cache(maxsize=1)
def _detector(weights: Path, changed_ns: int | None, params: DetectParams) -> Detector:
    """The detector of this process, built once for each content of the weights file."""
    return load_detector(weights, params)


def _detect_shard(job: _Job, start: int, stop: int) -> _Tally:
    changed_ns = job.weights.stat().st_mtime_ns if job.weights.exists() else None
    detector = _detector(job.weights, changed_ns, job.params)
    views, n_crashed, crash = [], [], None
    for file, ground in zip(job.files, job.backgrounds, strict=True):
        background = None if ground is None else np.load(ground)
        found, crashes = _detect_view(detector, PackedFrames(file), range(start, stop), background, job.params)
        views.append(found)
        n_crashed.append(len(crashes))
        crash = crash or next(iter(crashes), None)
    names = ("joints_px", "confidence", "box_px")
    arrays = {name: np.stack([getattr(view, name) for view in views], axis=1) for name in names}
    reopen(job.store, POSES2D)[job.recording].write(start, arrays)
    return _Tally(np.isfinite(arrays["box_px"]).all(-1).sum(0), np.array(n_crashed), crash)


def _detect_view(
    detector: Detector, frames: PackedFrames, rows: range, background: np.ndarray | None, params: DetectParams
) -> tuple[Detections, list[str]]:
    """The detections in some frames of one view, and what the detector said each time it crashed."""
    parts, crashes = [], []
    for first in range(rows.start, rows.stop, params.batch_size):
        images = frames[first : min(first + params.batch_size, rows.stop)]
        try:
            parts.append(detector.detect(images, background))
        except UserError:
            raise
        except Exception:
            # One by one, so that a frame that the detector cannot bear costs no other.
            alone = [_detect_alone(detector, image, background) for image in images]
            parts += [found for found, _ in alone]
            crashes += [crash for _, crash in alone if crash is not None]
    joined = (np.concatenate([getattr(part, name) for part in parts]) for name in ("joints_px", "confidence", "box_px"))
    return Detections(*joined), crashes


def _detect_alone(
    detector: Detector, image: np.ndarray, background: np.ndarray | None
) -> tuple[Detections, str | None]:
    try:
        return detector.detect([image], background), None
    except Exception as error:
        nothing = Detections(np.full((1, N_JOINTS, 2), np.nan), np.zeros((1, N_JOINTS)), np.full((1, 4), np.nan))
        return nothing, f"{type(error).__name__}: {error}"


def _report(capture: Capture, store: Store, names: list[str], tallies: list[_Tally]) -> None:
    """Say, and keep in the store, in how many frames of each view a person was found."""
    found: dict[str, dict[str, float]] = {}
    crashed: dict[str, dict[str, int]] = {}
    totals: dict[str, np.ndarray] = {}  # of each view name: found, frames
    for recording in capture.recordings:
        own = [tally for name, tally in zip(names, tallies, strict=True) if name == recording.name]
        n_found, n_crashed = (sum(getattr(t, key) for t in own) for key in ("n_found", "n_crashed"))
        views = [view.name for view in recording.views]
        for view, n in zip(views, n_found, strict=True):
            totals[view] = totals.get(view, np.zeros(2, int)) + np.array([n, recording.n_frames])
        found[recording.name] = {v: round(100 * n / recording.n_frames, 1) for v, n in zip(views, n_found, strict=True)}
        crashed[recording.name] = {v: int(n) for v, n in zip(views, n_crashed, strict=True)}
        if not np.any(n_found):
            log.warning("Recording %s: no person found in any view", recording.name)
    crash = next((tally.crash for tally in tallies if tally.crash), None)
    if crash:
        n = sum(sum(views.values()) for views in crashed.values())
        log.warning("The detector crashed on %d images, which count as empty; the first time with %s", n, crash)
    _check_anyone(totals, store.attrs["detector"]["name"], crash)
    shares = ", ".join(f"{view} {100 * n / of:.1f} %" for view, (n, of) in totals.items())
    log.info("Person found: %s", shares)
    store.describe(found_percent=found, crashed=crashed)


def _check_anyone(totals: dict[str, np.ndarray], detector: str, crash: str | None) -> None:
    n_found, n_images = np.sum(list(totals.values()), axis=0)
    if n_found == 0:
        cause = f"; it crashed with {crash}" if crash else ""
        fix = "See that the frames show a whole person of a good size, or choose another detect.detector."
        raise UserError(f"{detector} found no person in any of {n_images} images{cause}", where="detect", fix=fix)
