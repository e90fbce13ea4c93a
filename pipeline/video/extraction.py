"""The stage `frames`: decodes the videos of a capture and packs every n-th frame, with cameras that fit the frames."""

import logging
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from pipeline.alerts import Alert, log_alerts
from pipeline.capture import Capture, Recording, Rejected, SourceImages, View, read_capture
from pipeline.cores import n_cores
from pipeline.errors import UserError
from pipeline.files import atomic_write
from pipeline.geometry.camera.model import Camera
from pipeline.params.frames import FramesParams
from pipeline.progress import progress
from pipeline.video.camera_fit import fit_to_video
from pipeline.video.copies import check_no_copies
from pipeline.video.frame_times import write_times
from pipeline.video.moments import Moments, common_rate, find_moments, times_of_frames
from pipeline.video.packing import PackedFrames, keep_frames
from pipeline.video.true_joints import write_truth_of_frames
from pipeline.video.video_alerts import alert_of_lengths, alerts_of_videos
from pipeline.video.view_packing import PackedView, pack_view

log = logging.getLogger("epiline")
# A recording needs at least this share of the moments of its shortest video.
MIN_COMMON = 0.5
ROUNDING_FRAMES = 0.01  # of times in frames


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
        packed = source.model_copy(
            update={"recordings": [], "rejected": [*source.rejected], "alerts": [*source.alerts]}
        )
        for recording, views in _pack_all(source, aside, params):
            try:
                made = _packed_recording(recording, _usable(recording, views), aside, params)
                packed.recordings.append(made[0])
                packed.alerts += made[1]
            except UserError as error:
                if params.strict:
                    raise
                log.warning("Recording %s is skipped: %s", recording.name, error)
                packed.rejected.append(Rejected(recording=recording.name, reason=str(error)))
                shutil.rmtree(aside / recording.name, ignore_errors=True)
        _check_some_left(packed)
        if (capture / "truth.zarr").exists():
            packed.alerts += write_truth_of_frames(capture / "truth.zarr", packed, aside)
        log_alerts(packed.alerts[len(source.alerts) :])
        packed.write(aside)


def _check_some_left(packed: Capture) -> None:
    if packed.rejected:
        log.warning("%d recordings kept, %d skipped", len(packed.recordings), len(packed.rejected))
    if not packed.recordings:
        first = packed.rejected[0] if packed.rejected else Rejected(recording="-", reason="the capture is empty")
        raise UserError(f"No recording is usable; the first, {first.recording}: {first.reason}")


def _pack_all(
    source: Capture, folder: Path, params: FramesParams
) -> Iterator[tuple[Recording, list[PackedView | UserError]]]:
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


def _try_pack(task: tuple[View, Path, FramesParams]) -> PackedView | UserError:
    try:
        return pack_view(*task)
    except UserError as error:
        return error


def _usable(recording: Recording, views: list[PackedView | UserError]) -> list[PackedView]:
    """The packed views; raises UserError at the first that could not be packed."""
    packed: list[PackedView] = []
    for view, result in zip(recording.views, views, strict=True):
        if isinstance(result, UserError):
            raise UserError(result.what, where=result.where or f"view {view.name}", fix=result.fix)
        packed.append(result)
    return packed


def _packed_recording(
    recording: Recording, packed: list[PackedView], folder: Path, params: FramesParams
) -> tuple[Recording, list[Alert]]:
    """The recording with its packed views, at common moments, and the doubts about its videos."""
    names = [view.name for view in recording.views]
    alerts = alerts_of_videos(recording.name, dict(zip(names, packed, strict=True)))
    moments, trimmed = _moments(recording, packed, params)
    files = [_packed_name(recording, view) for view in recording.views]
    for file, own in zip(files, moments.rows, strict=True):
        keep_frames(folder / file, own)
    times = [None if moments.are_exact else f"{file.removesuffix('.jpegs')}.times.npy" for file in files]
    for name, own in zip(times, moments.times_s, strict=True):
        if name is not None:
            write_times(folder / name, own)
    check_no_copies(
        {name: PackedFrames(folder / file) for name, file in zip(names, files, strict=True)}, recording.name
    )
    fitted = [
        _fitted_view(*one, moments.numbers, folder, params)
        for one in zip(recording.views, files, packed, times, moments.rows, strict=True)
    ]
    update = {
        "fps": moments.fps / params.every_n_frames, "clock_fps": moments.fps,
        "n_frames": len(moments.numbers), "frame_numbers": moments.numbers.tolist(), "views": fitted,
    }  # fmt: skip
    return recording.model_copy(update=update), alerts + trimmed


def _moments(recording: Recording, packed: list[PackedView], params: FramesParams) -> tuple[Moments, list[Alert]]:
    """The moments that are kept, and an alert if the videos have different lengths.

    Raises UserError for different lengths if the parameters say so, and if few moments are shown by two views.
    """
    clocks = [p.clock for p in packed]
    fps = common_rate(clocks, recording.fps)
    times = [p.given_s for p in packed if p.given_s is not None]
    timed = len(times) == len(packed)
    if not timed:
        times = times_of_frames(clocks, recording.fps)
    start = max(own[0] for own in times)
    names = [view.name for view in recording.views]
    lengths = {name: int((own[-1] - start) * fps + ROUNDING_FRAMES) + 1 for name, own in zip(names, times, strict=True)}
    n_numbers, alerts = _common_length(recording.name, lengths, fps, params, timed=timed)
    counted = [not view.evaluation_only for view in recording.views]
    kept = [own[p.indices] for own, p in zip(times, packed, strict=True)]
    moments = find_moments(kept, fps, params.every_n_frames, n_numbers=n_numbers, counted=counted)
    n_all = len(range(0, n_numbers, params.every_n_frames))
    if len(moments.numbers) < MIN_COMMON * n_all:
        what = f"Two views show only {len(moments.numbers)} of {n_all} moments, as their videos lack frames"
        raise UserError(what, fix="Set frames.every_n_frames to 1, or record at a constant frame rate.")
    return moments, alerts


def _common_length(
    recording: str, lengths: dict[str, int], fps: float, params: FramesParams, *, timed: bool
) -> tuple[int, list[Alert]]:
    """The number of frames that all views have, and an alert if some have more."""
    shortest = min(lengths.values())
    if len(set(lengths.values())) == 1:
        return shortest, []
    if params.unequal_lengths == "reject":
        found = ", ".join(f"{name} {n}" for name, n in lengths.items())
        fix = "Trim them to the same frames; if they start together, set frames.unequal_lengths=trim."
        raise UserError(f"The views have different numbers of frames: {found}", fix=fix)
    return shortest, [alert_of_lengths(recording, lengths, fps, timed=timed)]


def _fitted_view(
    view: View, file: str, packed: PackedView, times: str | None, rows: np.ndarray, numbers: np.ndarray, folder: Path,
    params: FramesParams,
) -> View:  # fmt: skip
    """The view of the packed frames of some rows, with the images that they were made from.

    The frames' indices in the video are written if they are not the numbers of the moments.
    """
    camera = _fitted(view, packed, params)
    source = SourceImages(
        video_px=packed.header.size_px, n_frames=len(packed.header.clock.numbers), calibrated_px=view.size_px,
        packed_from_calibrated=(camera.K @ np.linalg.inv(view.camera.K)).tolist(),
    )  # fmt: skip
    indices = np.where(rows >= 0, packed.indices[rows], -1)
    if not np.array_equal(indices, numbers):
        source.indices = f"{file.removesuffix('.jpegs')}.indices.npy"
        np.save(folder / source.indices, indices)
    return View.of(view.name, file, camera, evaluation_only=view.evaluation_only, times=times, source=source)


def _fitted(view: View, packed: PackedView, params: FramesParams) -> Camera:
    """The view's camera for the pixels of its packed frames."""
    video_px = packed.header.size_px
    if video_px != view.size_px:
        text = "View %s: the video is %dx%d, its calibration %dx%d (frames.size_mismatch: %s)"
        log.warning(text, view.name, *video_px, *view.size_px, params.size_mismatch)
    return fit_to_video(view.camera, video_px, params).resized(packed.size_px)
