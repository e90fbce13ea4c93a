"""Detects the 2D poses of a whole capture: each task handles all views of some frames of a recording."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from pipeline.alerts import log_alerts
from pipeline.capture import Capture, Recording, View, read_capture
from pipeline.detectors.protocol import Detections, Detector
from pipeline.detectors.registry import load_detector
from pipeline.errors import UserError
from pipeline.files import scratch_folder
from pipeline.labels.poses2d.result import ARRAYS, Found, failure_alerts, report_detections, write_detections
from pipeline.labels.workers import run_tasks
from pipeline.params.detect import DetectParams
from pipeline.progress import progress
from pipeline.stores import POSES2D, Poses2dSummary, create_store
from pipeline.video.packing import PackedFrames

# Least number of frames per task: large enough that the start of a task takes a small share of its time, small enough
# that short takes are spread over several workers.
FRAMES_PER_TASK = 64
# Parts of the messages of libraries that do not raise MemoryError.
OUT_OF_MEMORY = ("out of memory", "not enough memory", "allocate memory", "insufficient memory", "bad_alloc")


@dataclass(frozen=True)
class _Job:
    """The inputs that the tasks of one recording share: paths, which are small to send to a worker."""

    files: list[Path]  # packed frames, one per view
    backgrounds: list[Path | None]  # of each view
    weights: Path
    params: DetectParams


def detect_capture(frames: Path, weights: Path, poses2d: Path, params: DetectParams) -> None:
    """Detect the person in every packed frame and write the store of 2D poses.

    An image on which the detector crashes counts as empty; the record of each recording has the number by view.
    Raises UserError if the detector runs out of memory or crashes on more than a few images, and if no person is
    found in any frame.
    """
    capture = read_capture(frames.resolve())
    detector = load_detector(weights, params)
    with (
        scratch_folder(poses2d.resolve().with_name("backgrounds.partial")) as scratch,
        create_store(poses2d.resolve(), POSES2D) as store,
    ):
        backgrounds = _write_backgrounds(capture, detector, scratch)
        tasks: list[tuple[_Job, int, int]] = []
        owners: list[str] = []
        for recording in capture.recordings:
            files = [Path(view.file) for view in recording.views]
            own_backgrounds = [backgrounds[_camera_of(recording, view)] for view in recording.views]
            job = _Job(files, own_backgrounds, weights.resolve(), params)
            blocks = _blocks(recording.n_frames, params)
            tasks += [(job, start, stop) for start, stop in blocks]
            owners += [recording.name] * len(blocks)
        results = run_tasks(_detect_block, tasks, "Detection", unit="block")
        records = []
        for recording in capture.recordings:
            own = [found for name, found in zip(owners, results, strict=True) if name == recording.name]
            records.append(write_detections(store, recording, own))
        alerts = failure_alerts("detector_crash", "The detector crashed", capture, records, results)
        alerts += report_detections(capture, records, detector.provenance()["name"])
        log_alerts(alerts)
        summary = Poses2dSummary(detector=detector.provenance(), joint_rules=detector.joint_rules(), alerts=alerts)
        store.write_summary(summary)


def _blocks(n_frames: int, params: DetectParams) -> list[tuple[int, int]]:
    size = max(params.batch_size, FRAMES_PER_TASK)
    return [(start, min(start + size, n_frames)) for start in range(0, n_frames, size)]


# Rig, view and image size: takes of one camera with different resolutions have different backgrounds.
_CameraKey = tuple[str, str, tuple[int, int]]


def _camera_of(recording: Recording, view: View) -> _CameraKey:
    return recording.rig, view.name, view.size_px


def _write_backgrounds(capture: Capture, detector: Detector, folder: Path) -> dict[_CameraKey, Path | None]:
    """Write the background of each camera, from all its recordings; None if the detector needs none."""
    clips: dict[_CameraKey, list[PackedFrames]] = {}
    for recording in capture.recordings:
        for view in recording.views:
            clips.setdefault(_camera_of(recording, view), []).append(PackedFrames(view.file))
    paths: dict[_CameraKey, Path | None] = {}
    for camera, filmed in progress(clips.items(), "Backgrounds", total=len(clips), unit="camera"):
        background = detector.background(filmed)
        path = folder / f"{len(paths)}.npy"
        paths[camera] = None if background is None else path
        if background is not None:
            np.save(path, background)
    return paths


@lru_cache(maxsize=1)
def _detector(weights: Path, changed_ns: int | None, params: DetectParams) -> Detector:
    """The detector of this process; built again only if the weights file changes."""
    return load_detector(weights, params)


def _detect_block(job: _Job, start: int, stop: int) -> Found:
    changed_ns = job.weights.stat().st_mtime_ns if job.weights.exists() else None
    detector = _detector(job.weights, changed_ns, job.params)
    views, n_crashed, crash = [], [], None
    for file, ground in zip(job.files, job.backgrounds, strict=True):
        background = None if ground is None else np.load(ground)
        found, crashes = _detect_view(detector, PackedFrames(file), range(start, stop), background, job.params)
        views.append(found)
        n_crashed.append(len(crashes))
        crash = crash or next(iter(crashes), None)
    arrays = {name: np.stack([getattr(view, name) for view in views], axis=1).astype(np.float32) for name in ARRAYS}
    return Found(arrays, np.array(n_crashed), crash)


def _detect_view(
    detector: Detector, frames: PackedFrames, rows: range, background: np.ndarray | None, params: DetectParams
) -> tuple[Detections, list[str]]:
    """The detections in some frames of one view, and the message of each crash."""
    parts, crashes = [], []
    for first in range(rows.start, rows.stop, params.batch_size):
        images = frames[first : min(first + params.batch_size, rows.stop)]
        try:
            parts.append(detector.detect(images, background))
        except UserError:
            raise
        except Exception as error:
            _refuse_out_of_memory(error, len(images))
            # Image by image, so that a bad image loses only its own detections.
            alone = [_detect_alone(detector, image, background) for image in images]
            parts += [found for found, _ in alone]
            crashes += [crash for _, crash in alone if crash is not None]
    joined = (np.concatenate([getattr(part, name) for part in parts]) for name in ARRAYS)
    return Detections(*joined), crashes


def _detect_alone(
    detector: Detector, image: np.ndarray, background: np.ndarray | None
) -> tuple[Detections, str | None]:
    try:
        return detector.detect([image], background), None
    except Exception as error:
        _refuse_out_of_memory(error, 1)
        return Detections.nothing(1, detector.n_landmarks), f"{type(error).__name__}: {error}"


def _refuse_out_of_memory(error: Exception, n_images: int) -> None:
    """Raise UserError if the detector ran out of memory, as the image is not the cause."""
    if isinstance(error, MemoryError) or any(words in str(error).lower() for words in OUT_OF_MEMORY):
        fix = "Lower detect.batch_size, or use fewer workers (EPILINE_WORKERS)."
        what = f"The detector ran out of memory on {n_images} images at once: {type(error).__name__}: {error}"
        raise UserError(what, where="detect", fix=fix) from error
