"""A folder of synchronised videos with a calibration file, as users lay it out (see docs/footage.md)."""

import csv
import hashlib
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.capture import Capture, Recording, Rejected, View
from pipeline.errors import UserError
from pipeline.formats.calibration import ENDINGS, find_calibration, read_calibration
from pipeline.formats.calibration_format import UNKNOWN_SIZE
from pipeline.geometry.camera.model import Camera
from pipeline.params.capture import CaptureParams
from pipeline.progress import progress
from pipeline.video.decoding import VideoHeader, read_header

log = logging.getLogger("epiline")

EXTENSIONS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v")
# Focal length as a share of the longer side: 53 degrees are in view. Calibration finds the true one.
ASSUMED_FOCAL = 1.0
SHARED_RIG = "shared"  # of all recordings without a calibration of their own
SAME_RATE = 0.01  # share by which frame rates of synchronised cameras may differ: rounding in the files
HEIGHTS_MM = (500.0, 2500.0)  # of a person: anything else is in another unit


@dataclass(frozen=True)
class _Take:
    """A folder with the videos of one recording."""

    name: str
    videos: list[Path]

    @property
    def subject(self) -> str:
        return self.name.partition("_")[0]


def read_videos(params: CaptureParams, footage: Path, capture: Path) -> None:
    """Write the manifest of a folder of videos; the videos stay where they are.

    A recording that cannot be used is reported in the manifest and skipped.
    Raises UserError where no recording is left or something that all share is wrong.
    """
    root = footage.resolve()
    takes = _chosen(_takes(root), params)
    assumed = params.intrinsics == "assumed"
    calibrations = _Calibrations(root, assumed=assumed)
    heights_mm = _read_heights(root / "subjects.csv")
    result = Capture(source="videos", intrinsics="assumed" if assumed else "given", recordings=[])
    for take in takes:
        try:
            split = take.subject in params.test_subjects
            result.recordings.append(_read_take(take, calibrations, split, heights_mm.get(take.subject)))
        except UserError as error:
            log.warning("Recording %s is skipped: %s", take.name, error)
            result.rejected.append(Rejected(recording=take.name, reason=str(error)))
    if not result.recordings:
        more = f" and {len(takes) - 1} more recordings are unusable" if len(takes) > 1 else ""
        raise UserError(f"{result.rejected[0].reason.rstrip('.')}", where=f"recording {takes[0].name}{more}")
    _reject_different_views(result)
    calibrations.warn_of_unused()
    _log_splits(result)
    videos = {Path(view.file) for recording in result.recordings for view in recording.views}
    _write_hashes(sorted(videos), root, capture / "videos.sha256")
    if not footage.is_absolute():
        _make_relative(result, capture)
    result.write(capture)


def _write_hashes(videos: list[Path], root: Path, path: Path) -> None:
    """List the videos' hashes as sha256sum does, so that the capture changes when the content of a video does."""
    lines = []
    for video in progress(videos, "Hashing the videos", unit="video"):
        with video.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {video.relative_to(root).as_posix()}\n")
    path.write_text("".join(lines))


def _make_relative(result: Capture, capture: Path) -> None:
    """Name the videos relative to the manifest, so that a copy of the whole project finds its own."""
    for recording in result.recordings:
        for view in recording.views:
            view.file = os.path.relpath(view.file, capture.resolve())


def _takes(root: Path) -> list[_Take]:
    """All recordings of the folder, by name."""
    if not root.is_dir():
        raise UserError(f"The folder {root} does not exist", where="capture.root", fix="Name the folder of the videos.")
    direct = _videos_in(root)
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    below = [_Take(folder.name, videos) for folder in folders if (videos := _videos_in(folder))]
    if direct and below:
        fix = f"Put {direct[0].name} and the others into a folder SUBJECT_ACTION of their own."
        raise UserError(f"{root} holds videos both directly and in folders", where="capture.root", fix=fix)
    if not direct and not below:
        fix = f"Put them at SUBJECT_ACTION/CAMERA.mp4 in it (or {', '.join(EXTENSIONS[1:])})."
        raise UserError(f"{root} holds no videos", where="capture.root", fix=fix)
    return [_Take(root.name, direct)] if direct else below


def _videos_in(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in EXTENSIONS and not p.name.startswith("."))


def _chosen(takes: list[_Take], params: CaptureParams) -> list[_Take]:
    if params.subjects == "all":
        return takes
    there = {take.subject for take in takes}
    unknown = sorted(set(params.subjects) - there)
    if unknown or not params.subjects:
        what = f"No footage of {', '.join(unknown)}" if unknown else "No subject is chosen"
        raise UserError(what, where="capture.subjects", fix=f"There are {', '.join(sorted(there))}; or write all.")
    return [take for take in takes if take.subject in params.subjects]


class _Calibrations:
    """The calibration files of the footage, one that all recordings share or a recording's own; or assumed cameras."""

    def __init__(self, root: Path, *, assumed: bool) -> None:
        self._root, self._assumed = root, assumed
        self._shared_path = None if assumed else find_calibration(root)
        self._shared = read_calibration(self._shared_path) if self._shared_path else None
        self._used: set[str] = set()

    def of(self, take: _Take, headers: dict[str, VideoHeader]) -> tuple[str, Path, dict[str, Camera]]:
        """The rig's name, where its cameras are from, and the cameras."""
        if self._assumed:
            return SHARED_RIG, self._root, {name: _assumed_camera(h.size_px) for name, h in headers.items()}
        folder = take.videos[0].parent
        own = find_calibration(folder) if folder != self._root else None
        if own is not None:
            return take.name, own, read_calibration(own)
        if self._shared is None or self._shared_path is None:
            fix = (
                f"Put a calibration file with the cameras' intrinsics there: {', '.join(ENDINGS)}; or assume them:"
                " capture.intrinsics=assumed and calibrate.focal=unknown."
            )
            raise UserError(f"No calibration file in {self._root} or {folder}", fix=fix)
        self._used |= {video.stem for video in take.videos}
        return SHARED_RIG, self._shared_path, self._shared

    def warn_of_unused(self) -> None:
        """Say which cameras of the shared calibration no recording has a video of."""
        unused = sorted(set(self._shared or ()) - self._used)
        if self._used and unused:
            log.warning("%s also has cameras without any video: %s", self._shared_path, ", ".join(unused))


def _assumed_camera(size_px: tuple[int, int]) -> Camera:
    """A pinhole of usual width of view, its principal point in the middle of the image."""
    width, height = size_px
    focal_px = ASSUMED_FOCAL * max(size_px)
    K = np.array([[focal_px, 0, (width - 1) / 2], [0, focal_px, (height - 1) / 2], [0, 0, 1]])
    return Camera(K, np.zeros(0), size_px)


def _read_take(take: _Take, calibrations: _Calibrations, test: bool, height_mm: float | None) -> Recording:
    folder = take.videos[0].parent
    _check_names(take)
    headers = {video.stem: read_header(video) for video in take.videos}
    rig, path, cameras = calibrations.of(take, headers)
    unknown = [video.name for video in take.videos if video.stem not in cameras]
    if unknown:
        fix = f"Name each video after a camera of the calibration: {', '.join(cameras)}."
        raise UserError(f"{', '.join(unknown)} in {folder} has no camera in {path}", fix=fix)
    videos = sorted(take.videos, key=lambda video: list(cameras).index(video.stem))
    views = [View.of(v.stem, str(v), _sized(cameras[v.stem], headers[v.stem])) for v in videos]
    counts = [header.n_frames for header in headers.values() if header.n_frames > 0]
    return Recording(
        name=take.name, subject=take.subject, action=take.name.partition("_")[2], split="test" if test else "train",
        rig=rig, height_mm=height_mm, fps=_common_rate(take, headers), n_frames=min(counts, default=0), views=views,
    )  # fmt: skip


def _check_names(take: _Take) -> None:
    folder, names = take.videos[0].parent, [video.stem for video in take.videos]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        files = ", ".join(video.name for video in take.videos if video.stem in twice)
        raise UserError(f"{folder} holds several videos of one camera: {files}", fix="Keep one of each camera.")
    if len(names) < 2:
        fix = "3D needs at least two cameras that filmed the same moments."
        raise UserError(f"{folder} holds the video of only one camera: {take.videos[0].name}", fix=fix)


def _sized(camera: Camera, header: VideoHeader) -> Camera:
    return camera if camera.size_px != UNKNOWN_SIZE else replace(camera, size_px=header.size_px)


def _common_rate(take: _Take, headers: dict[str, VideoHeader]) -> float:
    rates = [header.fps for header in headers.values()]
    if min(rates) <= 0 or max(rates) > (1 + SAME_RATE) * min(rates):
        found = ", ".join(f"{video.name} {headers[video.stem].fps:g}" for video in take.videos)
        fix = "Convert them to one rate: the same frame number must be the same moment."
        raise UserError(f"{take.videos[0].parent} holds videos of different frame rates: {found}", fix=fix)
    return rates[0]


def _reject_different_views(capture: Capture) -> None:
    """Reject recordings that lack a camera which others of the same rig have: a video is missing."""
    kept = []
    for recording in capture.recordings:
        names = {view.name for view in recording.views}
        others = {v.name for other in capture.recordings if other.rig == recording.rig for v in other.views}
        if names == others:
            kept.append(recording)
            continue
        missing = ", ".join(sorted(others - names))
        fix = "Add it, or give the recording a calibration file of its own without that camera."
        error = UserError(f"No video of camera {missing}, which other recordings have", where=recording.name, fix=fix)
        log.warning("Recording %s is skipped: %s", recording.name, error)
        capture.rejected.append(Rejected(recording=recording.name, reason=str(error)))
    if not kept:
        raise UserError(f"No recording has all cameras: {capture.rejected[-1].reason}")
    capture.recordings = kept


def _log_splits(capture: Capture) -> None:
    subjects = {
        split: _unique(r.subject for r in capture.recordings if r.split == split) for split in ("train", "test")
    }
    if not subjects["test"]:
        log.warning("None of capture.test_subjects is in the footage: everything trains, nothing is kept for testing")
    if not subjects["train"]:
        fix = "Leave some out of capture.test_subjects."
        raise UserError(f"All subjects are test subjects: {', '.join(subjects['test'])}", fix=fix)
    known = all(view.camera.has_extrinsics for recording in capture.recordings for view in recording.views)
    log.info(
        "%d recordings; subjects that train: %s; that test: %s; extrinsics: %s",
        len(capture.recordings), ", ".join(subjects["train"]), ", ".join(subjects["test"]) or "none",
        "given" if known else "not given",
    )  # fmt: skip


def _unique(names: Iterable[str]) -> list[str]:
    return sorted(set(names))


def _read_heights(path: Path) -> dict[str, float]:
    """Heights in mm by subject, from a table with the columns subject and height_mm; empty without the file."""
    if not path.exists():
        return {}
    heights: dict[str, float] = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        for line, row in enumerate(csv.DictReader(file, skipinitialspace=True), start=2):
            try:
                subject, height = row["subject"], float(row["height_mm"])
            except (KeyError, TypeError, ValueError):
                fix = "Write the columns subject,height_mm, for example S1,1780."
                raise UserError(f"{path} has no subject and height", where=f"line {line}", fix=fix) from None
            if not HEIGHTS_MM[0] <= height <= HEIGHTS_MM[1]:
                raise UserError(
                    f"height_mm = {height:g} of {subject} is not a height in mm", where=f"{path}, line {line}"
                )
            heights[subject] = height
    return heights
