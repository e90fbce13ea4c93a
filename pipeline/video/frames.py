"""Frames of the videos, packed for random access: one file of JPEG images a view, with an index beside it."""

import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.capture import Capture, Recording, Rejected, View, read_capture
from pipeline.cores import n_cores
from pipeline.errors import UserError
from pipeline.files import atomic_write
from pipeline.geometry.camera.model import Camera
from pipeline.params.frames import FramesParams
from pipeline.progress import progress
from pipeline.stores import TRUTH, Store, create_store, open_store

log = logging.getLogger("epiline")

# Containers without a frame count announce duration x rate; up to this many frames, or this share, is rounding.
ROUNDING_FRAMES, ROUNDING_SHARE = 2, 0.01
# Width and height scaled by factors that differ by less than this were scaled together.
SAME_SCALE = 0.002


class PackedFrames(Sequence[np.ndarray]):
    """The packed frames of one view: item i is image i, (H, W, 3), uint8, RGB.

    Reads from a memory map, so opening is cheap; may be shared by threads and sent to other processes.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._ends = np.load(_index_of(self._path))
        self._bytes = np.memmap(self._path, np.uint8, mode="r")

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, i: Any) -> Any:  # a slice gives a list
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(len(self)))]
        i = range(len(self))[i]
        start = self._ends[i - 1] if i else 0
        return cv2.imdecode(self._bytes[start : self._ends[i]], cv2.IMREAD_COLOR_RGB)

    def __reduce__(self) -> tuple[type, tuple[Path]]:
        return PackedFrames, (self._path,)


def _index_of(path: Path) -> Path:
    return path.with_suffix(".index.npy")


def pack_frames(path: Path, images: Iterator[np.ndarray], jpeg_quality: int) -> None:
    """Write images (H, W, 3), uint8, BGR as JPEG into one file, and where each ends into the index beside it."""
    ends = []
    with path.open("wb") as file:
        for image in images:
            file.write(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])[1].tobytes())
            ends.append(file.tell())
    np.save(_index_of(path), np.array(ends, np.int64))


@dataclass(frozen=True)
class VideoHeader:
    """What a video says of itself."""

    size_px: tuple[int, int]
    fps: float
    n_frames: int  # a rounded estimate in containers that do not say; 0: not said


def read_header(path: Path) -> VideoHeader:
    """Read a video's header.

    Raises UserError where the file is missing or is no video.
    """
    with _opened(path) as video:
        size_px = int(video.get(cv2.CAP_PROP_FRAME_WIDTH)), int(video.get(cv2.CAP_PROP_FRAME_HEIGHT))
        n_frames = max(0, int(video.get(cv2.CAP_PROP_FRAME_COUNT)))
        return VideoHeader(size_px, video.get(cv2.CAP_PROP_FPS), n_frames)


@contextmanager
def _opened(path: Path) -> Iterator[cv2.VideoCapture]:
    if not path.exists():
        raise UserError(f"{path} does not exist", fix="Put it back, or remove the recording.")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # what is wrong is said below, in one line
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        # A file cut within its header may open, with images of no size.
        if not video.isOpened() or video.get(cv2.CAP_PROP_FRAME_WIDTH) < 1:
            fix = "The file is cut off or damaged, or no video; copy it again or convert it to mp4 (H.264)."
            raise UserError(f"{path} ({path.stat().st_size} bytes) cannot be read as a video", fix=fix)
        yield video
    finally:
        video.release()


def extract_frames(capture: Path, frames: Path, params: FramesParams) -> None:
    """Decode every view of the capture and pack every n-th frame, with a manifest that fits the packed frames.

    A recording that cannot be used is reported in the manifest and skipped.
    Raises UserError where no recording is left, or at the first unusable one with `params.strict`.
    """
    source = read_capture(capture)
    if params.strict and source.rejected:
        raise UserError(source.rejected[0].reason, where=source.rejected[0].recording)
    with atomic_write(frames) as aside:
        aside.mkdir()
        truth = open_store(capture / "truth.zarr", TRUTH) if (capture / "truth.zarr").exists() else None
        packed = source.model_copy(update={"recordings": [], "rejected": [*source.rejected]})
        for recording, views in _pack_all(source, aside, params):
            try:
                packed.recordings.append(_finish(recording, views, aside, params, _n_true(truth, recording)))
            except UserError as error:
                if params.strict:
                    raise
                log.warning("Recording %s is skipped: %s", recording.name, error)
                packed.rejected.append(Rejected(recording=recording.name, reason=str(error)))
                shutil.rmtree(aside / recording.name, ignore_errors=True)
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


@dataclass(frozen=True)
class _Packed:
    """What came out of one video."""

    header: VideoHeader
    size_px: tuple[int, int]  # of the packed frames
    n_decoded: int


def _pack_all(
    source: Capture, folder: Path, params: FramesParams
) -> Iterator[tuple[Recording, list[_Packed | UserError]]]:
    """Pack all views, in parallel; yield the results of each recording."""
    tasks = []
    for recording in source.recordings:
        (folder / recording.name).mkdir()
        tasks += [(view, folder / _packed_name(recording, view), params) for view in recording.views]
    # OpenCV decodes outside of Python's lock, so threads are enough.
    with ThreadPoolExecutor(n_cores()) as pool:
        results = progress(pool.map(_try_pack, tasks), "Frames", total=len(tasks), unit="video")
        for recording in source.recordings:
            yield recording, [next(results) for _ in recording.views]
        next(results, None)


def _packed_name(recording: Recording, view: View) -> str:
    return f"{recording.name}/{view.name}.jpegs"


def _try_pack(task: tuple[View, Path, FramesParams]) -> _Packed | UserError:
    try:
        return _pack_view(*task)
    except UserError as error:
        return error


def _pack_view(view: View, path: Path, params: FramesParams) -> _Packed:
    video_path = Path(os.path.normpath(view.file))
    header = read_header(video_path)
    fit_to_video(view.camera, header.size_px, params)
    shrink = min(1.0, params.max_side_px / max(header.size_px))
    size_px = (round(header.size_px[0] * shrink), round(header.size_px[1] * shrink))
    n_decoded = 0

    def kept() -> Iterator[np.ndarray]:
        nonlocal n_decoded
        with _opened(video_path) as video:
            while video.grab():
                n_decoded += 1
                if (n_decoded - 1) % params.every_n_frames:
                    continue
                read, image = video.retrieve()
                if not read:
                    raise UserError(f"{video_path} cannot be decoded at frame {n_decoded - 1}", fix="Copy it again.")
                yield image if image.shape[1::-1] == size_px else cv2.resize(image, size_px, None, 0, 0, cv2.INTER_AREA)

    pack_frames(path, kept(), params.jpeg_quality)
    missing = header.n_frames - n_decoded
    if n_decoded == 0 or missing > max(ROUNDING_FRAMES, ROUNDING_SHARE * header.n_frames):
        fix = "The file is cut off or damaged; copy it again."
        raise UserError(f"{video_path} ends after {n_decoded} of {header.n_frames} announced frames", fix=fix)
    return _Packed(header, size_px, n_decoded)


def fit_to_video(camera: Camera, size_px: tuple[int, int], params: FramesParams) -> Camera:
    """The camera as it is in a video of another size than it was calibrated at.

    A uniformly scaled video scales the intrinsics. If width or height is off by a share of at most
    `params.size_tolerance`, `params.size_mismatch` says how the calibrated image came from the video's: edges cut off
    or added on the right and at the bottom (crop), or enlarged to fill its frame and cut alike on both sides (zoom).
    Raises UserError for any other size.
    """
    if size_px == camera.size_px:
        return camera
    scales = np.array(size_px) / camera.size_px
    if abs(scales[0] / scales[1] - 1) < SAME_SCALE:
        return camera.resized(size_px)
    if params.size_mismatch == "reject" or np.abs(scales - 1).max() > params.size_tolerance:
        sizes = f"{size_px[0]}x{size_px[1]}, its calibration {camera.size_px[0]}x{camera.size_px[1]}"
        turned = np.abs(np.array(size_px[::-1]) / camera.size_px - 1).max() <= params.size_tolerance
        fix = "Turn the video." if turned else "Calibrate at its size, or see frames.size_mismatch and size_tolerance."
        raise UserError(f"The video is {sizes}", fix=fix)
    if params.size_mismatch == "crop":
        return replace(camera, size_px=size_px)
    zoom = 1 / scales.min()
    shift_px = ((zoom * np.array(size_px) - camera.size_px) / 2 + 0.5) / zoom - 0.5
    from_calibrated = np.array([[1 / zoom, 0, shift_px[0]], [0, 1 / zoom, shift_px[1]], [0, 0, 1]])
    return replace(camera, K=from_calibrated @ camera.K, size_px=size_px)


def _n_true(truth: Store | None, recording: Recording) -> int | None:
    return truth[recording.name].n_rows if truth is not None and recording.name in truth else None


def _finish(
    recording: Recording, views: list[_Packed | UserError], folder: Path, params: FramesParams, n_true: int | None
) -> Recording:
    """The recording with its packed views; cuts them to the same length where that is wanted."""
    packed: list[_Packed] = []
    for view, result in zip(recording.views, views, strict=True):
        if isinstance(result, UserError):
            raise UserError(result.what, where=result.where or f"view {view.name}", fix=result.fix)
        packed.append(result)
    lengths = {view.name: p.n_decoded for view, p in zip(recording.views, packed, strict=True)}
    n_video = _common_length(lengths if n_true is None else {**lengths, "truth": n_true}, params)
    numbers = list(range(0, n_video, params.every_n_frames))
    files = [_packed_name(recording, view) for view in recording.views]
    for file in files:
        _cut(folder / file, len(numbers))
    fitted = [
        View.of(view.name, file, _fitted(view, p, params), evaluation_only=view.evaluation_only)
        for view, file, p in zip(recording.views, files, packed, strict=True)
    ]
    fps = recording.fps / params.every_n_frames
    update = {"fps": fps, "n_frames": len(numbers), "frame_numbers": numbers, "views": fitted}
    return recording.model_copy(update=update)


def _fitted(view: View, packed: _Packed, params: FramesParams) -> Camera:
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
            fix = "Cut them to the same moments; if they start together, set frames.unequal_lengths=trim."
            raise UserError(f"The views have different numbers of frames: {found}", fix=fix)
        log.warning("Views cut to the first %d frames: %s", shortest, found)
    return shortest


def _cut(path: Path, n: int) -> None:
    ends = np.load(_index_of(path))[:n]
    np.save(_index_of(path), ends)
    os.truncate(path, int(ends[-1]))


def _subset_truth(truth: Store, packed: Capture, path: Path) -> None:
    with create_store(path, TRUTH, **truth.attrs) as store:
        for recording in packed.recordings:
            if recording.name in truth:
                group = store.create(recording.name, {"frame": recording.n_frames}, **truth[recording.name].attrs)
                joints = truth[recording.name]["joints_world_mm"][recording.frame_numbers]
                group.write(0, {"joints_world_mm": joints})
