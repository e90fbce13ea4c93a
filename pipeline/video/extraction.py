"""The stage `frames`: decodes the videos of a capture and packs every n-th frame, with cameras that fit the frames."""

import logging
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pipeline.alerts import Alert, log_alerts
from pipeline.capture import Capture, Recording, Rejected, View, read_capture
from pipeline.cores import n_cores
from pipeline.errors import UserError
from pipeline.files import atomic_write
from pipeline.geometry.camera.model import Camera
from pipeline.params.frames import FramesParams
from pipeline.progress import progress
from pipeline.stores import TRUTH, TruthStore, create_store, open_store
from pipeline.video.camera_fit import fit_to_video
from pipeline.video.copies import check_no_copies
from pipeline.video.decoding import VideoFrames, VideoHeader, read_header
from pipeline.video.packing import PackedFrames, keep_frames, pack_frames
from pipeline.video.times import clock_numbers, dropped_frames, rows_of_common_moments

log = logging.getLogger("epiline")
# A recording needs at least this share of the moments of its shortest video in all views.
MIN_COMMON = 0.5
MAX_GAPS = 5  # in a video that an alert lists


@dataclass(frozen=True)
class _PackedView:
    """The result of packing one video."""

    header: VideoHeader
    size_px: tuple[int, int]  # of the packed frames
    times_ms: np.ndarray  # time stamps of the frames of the video, before every n-th was kept
    numbers: np.ndarray  # of the same frames on the camera's clock, which has no gaps


def extract_frames(capture: Path, frames: Path, params: FramesParams) -> None:
    """Decode every view of the capture and pack every n-th frame, with a manifest that fits the packed frames.

    A recording that cannot be used is reported in the manifest and skipped. Raises UserError if no recording is left,
    or with `params.strict` at the first unusable one.
    """
    source = read_capture(capture)
    if params.strict and source.rejected:
        raise UserError(source.rejected[0].reason, where=source.rejected[0].recording)
    with atomic_write(frames) as aside:
        aside.mkdir()
        truth = open_store(capture / "truth.zarr", TRUTH) if (capture / "truth.zarr").exists() else None
        packed = source.model_copy(
            update={"recordings": [], "rejected": [*source.rejected], "alerts": [*source.alerts]}
        )
        for recording, views in _pack_all(source, aside, params):
            packed.alerts += _alerts_of_dropped_frames(recording, views)
            try:
                packed.recordings.append(_packed_recording(recording, views, aside, params, _n_true(truth, recording)))
            except UserError as error:
                if params.strict:
                    raise
                log.warning("Recording %s is skipped: %s", recording.name, error)
                packed.rejected.append(Rejected(recording=recording.name, reason=str(error)))
                shutil.rmtree(aside / recording.name, ignore_errors=True)
        log_alerts(packed.alerts[len(source.alerts) :])
        _check_some_left(packed)
        if truth is not None:
            _subset_truth(truth, packed, aside / "truth.zarr")
        packed.write(aside)


def _check_some_left(packed: Capture) -> None:
    if packed.rejected:
        log.warning("%d recordings kept, %d skipped", len(packed.recordings), len(packed.rejected))
    if not packed.recordings:
        first = packed.rejected[0] if packed.rejected else Rejected(recording="-", reason="the capture is empty")
        raise UserError(f"No recording is usable; the first, {first.recording}: {first.reason}")


def _pack_all(
    source: Capture, folder: Path, params: FramesParams
) -> Iterator[tuple[Recording, list[_PackedView | UserError]]]:
    """Pack all views in parallel; yield the results recording by recording."""
    tasks = []
    for recording in source.recordings:
        (folder / recording.name).mkdir()
        tasks += [(view, folder / _packed_name(recording, view), params) for view in recording.views]
    # OpenCV releases Python's global lock while it decodes, so threads run in parallel.
    with ThreadPoolExecutor(n_cores()) as pool:
        results = progress(pool.map(_try_pack, tasks), "Frames", total=len(tasks), unit="video")
        for recording in source.recordings:
            yield recording, [next(results) for _ in recording.views]
        next(results, None)


def _packed_name(recording: Recording, view: View) -> str:
    return f"{recording.name}/{view.name}.jpegs"


def _try_pack(task: tuple[View, Path, FramesParams]) -> _PackedView | UserError:
    try:
        return _pack_view(*task)
    except UserError as error:
        return error


def _pack_view(view: View, path: Path, params: FramesParams) -> _PackedView:
    video_path = Path(os.path.normpath(view.file))
    header = read_header(video_path)
    fit_to_video(view.camera, header.size_px, params)  # refuses a wrong size before the video is decoded
    shrink = min(1.0, params.max_side_px / max(header.size_px))
    size_px = (round(header.size_px[0] * shrink), round(header.size_px[1] * shrink))
    video = VideoFrames(video_path, params.every_n_frames)
    pack_frames(path, (_resized(image, size_px) for image in video), params.jpeg_quality)
    video.check_complete(header)
    return _PackedView(header, size_px, np.array(video.times_ms), clock_numbers(video.times_ms))


def _resized(image: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    if image.shape[1::-1] == size_px:
        return image
    return cv2.resize(image, size_px, None, 0, 0, cv2.INTER_AREA)


def _n_true(truth: TruthStore | None, recording: Recording) -> int | None:
    return truth[recording.name].n_rows if truth is not None and recording.name in truth else None


def _packed_recording(
    recording: Recording, views: list[_PackedView | UserError], folder: Path, params: FramesParams, n_true: int | None
) -> Recording:
    """The recording with its packed views, trimmed to the same length if the parameters say so."""
    packed: list[_PackedView] = []
    for view, result in zip(recording.views, views, strict=True):
        if isinstance(result, UserError):
            raise UserError(result.what, where=result.where or f"view {view.name}", fix=result.fix)
        packed.append(result)
    lengths = {view.name: int(p.numbers[-1]) + 1 for view, p in zip(recording.views, packed, strict=True)}
    n_video = _common_length(lengths if n_true is None else {**lengths, "truth": n_true}, params)
    numbers, rows = _common_moments(recording, packed, n_video, params)
    files = [_packed_name(recording, view) for view in recording.views]
    for file, own in zip(files, rows, strict=True):
        keep_frames(folder / file, own)
    names = [view.name for view in recording.views]
    check_no_copies(
        {name: PackedFrames(folder / file) for name, file in zip(names, files, strict=True)}, recording.name
    )
    fitted = [
        View.of(view.name, file, _fitted(view, p, params), evaluation_only=view.evaluation_only)
        for view, file, p in zip(recording.views, files, packed, strict=True)
    ]
    fps = _clock_rate(recording, packed) / params.every_n_frames
    update = {"fps": fps, "n_frames": len(numbers), "frame_numbers": numbers, "views": fitted}
    return recording.model_copy(update=update)


def _common_moments(
    recording: Recording, packed: list[_PackedView], n_video: int, params: FramesParams
) -> tuple[list[int], list[np.ndarray]]:
    """The moments that all views show, as numbers on the clock, and the rows of their packed frames.

    Raises UserError if the views show fewer than half of the moments together.
    """
    kept = [p.numbers[:: params.every_n_frames] for p in packed]
    moments, rows = rows_of_common_moments(kept, params.every_n_frames, recording.fps)
    inside = moments < n_video
    moments, rows = moments[inside], [own[inside] for own in rows]
    n_all = len(range(0, n_video, params.every_n_frames))
    if len(moments) < MIN_COMMON * n_all:
        what = f"All views show only {len(moments)} of {n_all} moments, as their videos lack frames at different times"
        raise UserError(what, fix="Set frames.every_n_frames to 1, or record at a constant frame rate.")
    return moments.tolist(), rows


def _clock_rate(recording: Recording, packed: list[_PackedView]) -> float:
    """Frames per second on the cameras' clock; the rate of the recording unless a video lacks frames."""
    gaps = [p for p in packed if p.numbers[-1] >= len(p.numbers)]
    rates = [1000 * p.numbers[-1] / (p.times_ms[-1] - p.times_ms[0]) for p in gaps]
    return float(np.median(rates)) if rates else recording.fps


def _alerts_of_dropped_frames(recording: Recording, views: list[_PackedView | UserError]) -> list[Alert]:
    """An alert for each view whose video lacks frames."""
    alerts = []
    for view, packed in zip(recording.views, views, strict=True):
        gaps = [] if isinstance(packed, UserError) else dropped_frames(packed.numbers)
        if gaps:
            missing = sum(gap.missing for gap in gaps)
            listed = ", ".join(f"{gap.missing} before frame {gap.number}" for gap in gaps[:MAX_GAPS])
            more = f" and at {len(gaps) - MAX_GAPS} more places" if len(gaps) > MAX_GAPS else ""
            what = f"{missing} frames are missing from the video; moments that a view does not show are left out"
            alerts.append(Alert(
                kind="dropped_frames", severity="note", subject=f"{recording.name}, {view.name}", message=what,
                evidence=f"by its time stamps {listed}{more}",
            ))  # fmt: skip
    return alerts


def _fitted(view: View, packed: _PackedView, params: FramesParams) -> Camera:
    """The view's camera for the pixels of its packed frames."""
    video_px = packed.header.size_px
    if video_px != view.size_px:
        text = "View %s: the video is %dx%d, its calibration %dx%d (frames.size_mismatch: %s)"
        log.warning(text, view.name, *video_px, *view.size_px, params.size_mismatch)
    return fit_to_video(view.camera, video_px, params).resized(packed.size_px)


def _common_length(lengths: dict[str, int], params: FramesParams) -> int:
    shortest = min(lengths.values())
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} {n}" for name, n in lengths.items())
        if params.unequal_lengths == "reject":
            fix = "Trim them to the same frames; if they start together, set frames.unequal_lengths=trim."
            raise UserError(f"The views have different numbers of frames: {found}", fix=fix)
        log.warning("Views trimmed to the first %d frames: %s", shortest, found)
    return shortest


def _subset_truth(truth: TruthStore, packed: Capture, path: Path) -> None:
    """Write the truth of the kept recordings and frames."""
    with create_store(path, TRUTH, truth.summary) as store:
        for recording in packed.recordings:
            if recording.name in truth:
                source = truth[recording.name]
                group = store.create(recording.name, {"frame": recording.n_frames}, source.record)
                group.write(0, {"joints_world_mm": source["joints_world_mm"][recording.frame_numbers]})
