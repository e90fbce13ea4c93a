"""The source `videos`: a folder of synchronised videos with a calibration file, in the layout of docs/footage.md."""

import hashlib
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pipeline.alerts import log_alerts
from pipeline.capture import Capture, Recording, Rejected, View
from pipeline.datasets.common_views import use_common_views
from pipeline.datasets.copied_videos import alerts_of_copies, check_no_copy
from pipeline.datasets.given_frame_times import read_given_times
from pipeline.datasets.subject_heights import alerts_of_unknown_subjects, read_heights
from pipeline.datasets.take_cameras import FootageCameras
from pipeline.datasets.takes import Take, alerts_of_links, camera_name, check_names, choose_subjects, find_takes
from pipeline.datasets.truth.files import write_truth
from pipeline.errors import UserError
from pipeline.params.capture import CaptureParams
from pipeline.progress import progress
from pipeline.video.frame_times import write_times
from pipeline.video.image_sequence import image_files
from pipeline.video.moments import common_rate
from pipeline.video.sources import read_header
from pipeline.video.times import Clock, clock_of

log = logging.getLogger("epiline")

# The manifest's `intrinsics` for each value of `capture.intrinsics`.
INTRINSICS: dict[str, Literal["given", "assumed"]] = {"file": "given", "assumed": "assumed"}


def read_videos(params: CaptureParams, footage: Path, capture: Path) -> None:
    """Write the manifest of a folder of videos; the videos stay where they are.

    A recording that cannot be used is reported in the manifest and skipped.
    Raises UserError if no recording is left, or if something that all recordings share is wrong.
    """
    root = footage.resolve()
    takes = choose_subjects(find_takes(root), params.subjects)
    cameras = FootageCameras(root, assumed=params.intrinsics == "assumed")
    result = Capture(source="videos", intrinsics=INTRINSICS[params.intrinsics], recordings=[])
    heights = read_heights(root / "subjects.csv")
    _read_takes(result, takes, cameras, heights, params, capture)
    missing, further = use_common_views(result.recordings)
    for name, error in missing:
        _reject(result, name, error)
    result.recordings = [recording for recording in result.recordings if recording.name not in dict(missing)]
    if not result.recordings:
        raise UserError(f"No recording has all cameras: {result.rejected[-1].reason}")
    videos = {Path(view.file) for recording in result.recordings for view in recording.views}
    hashes = _hashes(sorted(videos))
    _reject_copies(result, hashes)
    result.alerts = [*alerts_of_links(takes), *cameras.alerts(), *further, *alerts_of_copies(result, hashes)]
    result.alerts += alerts_of_unknown_subjects(heights, takes)
    result.alerts += write_truth(params.truth, takes, result, capture / "truth.zarr")
    log_alerts(result.alerts)
    _log_splits(result)
    _write_hashes(hashes, root, capture / "videos.sha256")
    if not footage.is_absolute():
        _make_relative(result, capture)
    result.write(capture)


def _read_takes(
    result: Capture, takes: list[Take], cameras: FootageCameras, heights_mm: dict[str, float], params: CaptureParams,
    capture: Path,
) -> None:  # fmt: skip
    """Add every take to the capture, as a recording or as rejected."""
    for take in takes:
        try:
            result.recordings.append(_read_take(take, cameras, params, capture, heights_mm.get(take.subject)))
        except UserError as error:
            _reject(result, take.name, error)
    if not result.recordings:
        more = f" and {len(takes) - 1} more recordings are unusable" if len(takes) > 1 else ""
        raise UserError(f"{result.rejected[0].reason.rstrip('.')}", where=f"recording {takes[0].name}{more}")


def _reject(result: Capture, recording: str, error: UserError) -> None:
    log.warning("Recording %s is skipped: %s", recording, error)
    result.rejected.append(Rejected(recording=recording, reason=str(error)))


def _read_take(
    take: Take, cameras: FootageCameras, params: CaptureParams, capture: Path, height_mm: float | None
) -> Recording:
    check_names(take)
    files = {camera_name(video): str(video) for video in take.videos}
    headers = {name: read_header(Path(file)) for name, file in files.items()}
    found = cameras.of(take, headers)
    clocks = {name: header.clock for name, header in headers.items()}
    times = _write_given_times(take, clocks, capture)
    views = [
        View.of(name, files[video], camera, times=times.get(video))
        for name, camera in found.by_name.items()
        if (video := found.video_of[name])
    ]
    fps = _common_rate(take, clocks.values(), params.image_fps)
    return Recording(
        name=take.name, subject=take.subject, action=take.action, rig=found.rig, height_mm=height_mm, fps=fps,
        split="test" if take.subject in params.test_subjects else "train", views=views,
        n_frames=min(round(clock.n_frames * fps / (clock.fps or fps)) for clock in clocks.values()),
    )  # fmt: skip


def _write_given_times(take: Take, clocks: dict[str, Clock], capture: Path) -> dict[str, str]:
    """Write the times of the frames that are given beside the videos; the files by video, relative to the manifest.

    The clocks are replaced by those of the given times.
    """
    files = {}
    for video, times_s in (read_given_times(take, clocks) or {}).items():
        clocks[video] = clock_of(times_s)
        files[video] = f"times/{take.name}/{video}.npy"
        (capture / files[video]).parent.mkdir(parents=True, exist_ok=True)
        write_times(capture / files[video], times_s)
    return files


def _common_rate(take: Take, clocks: Iterable[Clock], image_fps: float) -> float:
    known = [clock for clock in clocks if clock.fps]
    if not known and all(video.is_dir() for video in take.videos):
        return image_fps
    if not known:
        raise UserError(f"{take.folder} holds videos without a frame rate", fix="Convert them to mp4.")
    return common_rate(known, 0.0)


def _log_splits(capture: Capture) -> None:
    subjects = {
        split: _unique(r.subject for r in capture.recordings if r.split == split) for split in ("train", "test")
    }
    if not subjects["test"]:
        log.warning("None of capture.test_subjects is in the footage: all recordings are used to train, none to test")
    if not subjects["train"]:
        fix = "Leave some out of capture.test_subjects."
        raise UserError(f"All subjects are test subjects: {', '.join(subjects['test'])}", fix=fix)
    has_extrinsics = all(view.camera.has_extrinsics for recording in capture.recordings for view in recording.views)
    log.info(
        "%d recordings; training subjects: %s; test subjects: %s; extrinsics: %s",
        len(capture.recordings), ", ".join(subjects["train"]), ", ".join(subjects["test"]) or "none",
        "given" if has_extrinsics else "not given",
    )  # fmt: skip


def _unique(names: Iterable[str]) -> list[str]:
    return sorted(set(names))


def _hashes(videos: list[Path]) -> dict[str, str]:
    """The SHA-256 hash of each video's file, or of all names and hashes in a folder of images, by its path."""
    return {str(video): _hash(video) for video in progress(videos, "Hashing the videos", unit="video")}


def _hash(video: Path) -> str:
    if video.is_dir():
        lines = [f"{_hash(image)}  {image.name}\n" for image in image_files(video)]
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    with video.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _reject_copies(result: Capture, hashes: dict[str, str]) -> None:
    """Reject recordings with a video given twice."""
    recordings, result.recordings = result.recordings, []
    for recording in recordings:
        try:
            check_no_copy(recording, hashes)
            result.recordings.append(recording)
        except UserError as error:
            _reject(result, recording.name, error)
    if not result.recordings:
        raise UserError(f"No recording is usable: {result.rejected[-1].reason}")


def _write_hashes(hashes: dict[str, str], root: Path, path: Path) -> None:
    """List the videos' hashes as sha256sum does, so that the capture changes when the content of a video does."""
    lines = [f"{value}  {Path(video).relative_to(root).as_posix()}\n" for video, value in hashes.items()]
    path.write_text("".join(lines))


def _make_relative(result: Capture, capture: Path) -> None:
    """Make the videos' paths relative to the manifest, so that a copy of the whole project uses its own videos."""
    for recording in result.recordings:
        for view in recording.views:
            view.file = os.path.relpath(view.file, capture.resolve())
