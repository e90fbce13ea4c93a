"""2D poses that other programs wrote, as the detections of a capture; no image is looked at."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import time_ns

import numpy as np

from pipeline.alerts import Alert, log_alerts
from pipeline.capture import Recording, read_capture
from pipeline.detectors.subject import choose_subject
from pipeline.errors import UserError
from pipeline.formats.poses2d.joint_rules import JointRules, joint_rules
from pipeline.formats.poses2d.people import People, PoseFile
from pipeline.formats.poses2d.registry import open_folder
from pipeline.labels.poses2d import file_alerts
from pipeline.labels.poses2d.file_alerts import PixelUse
from pipeline.labels.poses2d.person_boxes import person_boxes
from pipeline.labels.poses2d.result import ARRAYS, Found, failure_alerts, report_detections, write_detections
from pipeline.labels.poses2d.view_files import FilePixels, ViewFiles, match_views
from pipeline.labels.workers import run_tasks
from pipeline.params.detect import DetectParams
from pipeline.skeleton import N_JOINTS
from pipeline.stores import POSES2D, Poses2dRecord, Poses2dSummary, create_store

# Frames per task. The subject among several people is chosen within them.
FRAMES_PER_BLOCK = 1024


@dataclass(frozen=True)
class _Job:
    """The inputs that the tasks of one recording share."""

    folder: Path
    opened_ns: int  # when this run began: a process that reads for several runs opens the files again
    sources: tuple[str | None, ...]  # of each view: its name in the files; None: there is none
    pixels: tuple[FilePixels, ...]  # of each view
    rules: JointRules
    n_points: int


@dataclass(frozen=True)
class _Block:
    found: Found
    use: PixelUse


def import_poses2d(frames: Path, files: Path, poses2d: Path, params: DetectParams) -> None:
    """Read the 2D poses of all recordings from a folder and write the store of 2D poses.

    The folder has a folder for each recording, named like it; with one recording, its files may be in the folder
    itself. A recording or view without files has no detections, with an alert. Raises UserError if there are none at
    all, if they are of other images, or if their points do not fit.
    """
    capture = read_capture(frames.resolve())
    root = files.resolve()
    if not root.is_dir():
        raise UserError(f"The folder {files} does not exist", where="detect.files", fix="Name the folder of the poses.")
    folders = {one.name: _folder(root, one, alone=len(capture.recordings) == 1) for one in capture.recordings}
    source = _first_source(list(folders.values()), root)
    rules = joint_rules(source.points, source.where)
    alerts: list[Alert] = []
    records: list[Poses2dRecord] = []
    results: list[Found] = []
    with create_store(poses2d.resolve(), POSES2D) as store:
        for recording in capture.recordings:
            views = _views(recording, folders[recording.name], source)
            blocks = _read(recording, views, folders[recording.name], rules, len(source.points), params)
            records.append(write_detections(store, recording, [block.found for block in blocks]))
            results += [Found({}, block.found.n_crashed, block.found.crash) for block in blocks]
            use = PixelUse.joined([block.use for block in blocks])
            alerts += file_alerts.about_recording(recording, views, use, records[-1].others)
        alerts += failure_alerts("unreadable_poses", "Reading the 2D poses failed", capture, records, results)
        alerts += report_detections(capture, records, "The program that wrote the files")
        log_alerts(alerts)
        provenance = {"name": "files", "skeleton": source.skeleton}
        store.write_summary(Poses2dSummary(
            detector=provenance, landmarks=list(source.points), joint_rules=rules.described, alerts=alerts
        ))  # fmt: skip


def _folder(root: Path, recording: Recording, *, alone: bool) -> Path | None:
    """The folder of a recording's files; None if there is none."""
    own = root / recording.name
    if own.is_dir():
        return own
    return root if alone else None


def _first_source(folders: list[Path | None], root: Path) -> PoseFile:
    """The first file with people. Raises UserError if there is none."""
    known = [folder for folder in folders if folder is not None]
    if not known:
        fix = f"Name the folders in {root} after the recordings."
        raise UserError(f"{root} has no folder of any recording", where="detect.files", fix=fix)
    for folder in known:
        for opened in open_folder(folder).values():
            if opened.points:
                return opened
    raise UserError(f"The 2D poses in {root} have no people in any frame", where="detect.files")


def _views(recording: Recording, folder: Path | None, source: PoseFile) -> ViewFiles:
    """The files of each view. Raises UserError if they have other points than those of the other recordings."""
    views = match_views(recording, {} if folder is None else open_folder(folder))
    for opened in views.files.values():
        if opened.points and opened.points != source.points:
            what = f"{opened.where} has {len(opened.points)} points ({opened.skeleton})"
            what += f" and {source.where} {len(source.points)} ({source.skeleton})"
            raise UserError(what, where=recording.name, fix="Use one program with one set of points for all.")
    return views


def _read(
    recording: Recording,
    views: ViewFiles,
    folder: Path | None,
    rules: JointRules,
    n_points: int,
    params: DetectParams,
) -> list[_Block]:
    names = [view.name for view in recording.views]
    pixels = tuple(views.pixels(view, params.files_pixels) for view in recording.views)
    sources = tuple(views.source_of.get(name) for name in names)
    job = _Job(folder or Path(), time_ns(), sources, pixels, rules, n_points)
    rows = np.stack([views.rows(name, recording.n_frames) for name in names], 1)
    starts = range(0, recording.n_frames, FRAMES_PER_BLOCK)
    tasks = [(job, rows[start : start + FRAMES_PER_BLOCK]) for start in starts]
    return run_tasks(_read_block, tasks, f"2D poses of {recording.name}", unit="block")


@lru_cache(maxsize=1)
def _opened(folder: Path, opened_ns: int) -> dict[str, PoseFile]:
    return open_folder(folder)


def _read_block(job: _Job, rows: np.ndarray) -> _Block:
    """The detections of some frames, from the rows (F, V) of the files that they are in; -1: none."""
    views, uses, n_broken, n_others = [], [], [], []
    crash = None
    for source, own, pixels in zip(job.sources, rows.T, job.pixels, strict=True):
        has_file = np.flatnonzero(own >= 0) if source is not None else np.zeros(0, int)
        nobody = People.of([], np.zeros((0, job.n_points, 3)))
        opened = None if source is None else _opened(job.folder, job.opened_ns)[source]
        people = nobody if opened is None or not opened.points else opened.read(own[has_file])
        frames = has_file[people.rows]
        uses.append(PixelUse.of(people.points_px, pixels.size_px))
        points_px = pixels.packed(people.points_px)
        chosen = choose_subject(frames, points_px, people.confidence, len(own))
        views.append(_detections(chosen, points_px, people.confidence, job.rules))
        n_broken.append(len(people.broken))
        n_others.append(int((np.bincount(frames, minlength=len(own)) > 1).sum()))
        crash = crash or next(iter(people.broken.values()), None)
    arrays = {name: np.stack([view[name] for view in views], 1).astype(np.float32) for name in ARRAYS}
    return _Block(Found(arrays, np.array(n_broken), crash, np.array(n_others)), PixelUse.stacked(uses))


def _detections(
    chosen: np.ndarray, points_px: np.ndarray, confidence: np.ndarray, rules: JointRules
) -> dict[str, np.ndarray]:
    """The arrays of POSES2D (F, ...) from the person chosen in each frame, -1 for nobody."""
    n, n_points = len(chosen), points_px.shape[1]
    found = {
        "joints_px": np.full((n, N_JOINTS, 2), np.nan), "confidence": np.zeros((n, N_JOINTS)),
        "box_px": np.full((n, 4), np.nan),
        "landmarks_px": np.full((n, n_points, 2), np.nan), "landmark_confidence": np.zeros((n, n_points)),
    }  # fmt: skip
    is_there = chosen >= 0
    own = chosen[is_there]
    found["landmarks_px"][is_there], found["landmark_confidence"][is_there] = points_px[own], confidence[own]
    joints_px, joint_confidence = rules.joints(points_px[own], confidence[own])
    found["joints_px"][is_there], found["confidence"][is_there] = joints_px, joint_confidence
    found["box_px"][is_there] = person_boxes(np.flatnonzero(is_there), joints_px)
    return found
