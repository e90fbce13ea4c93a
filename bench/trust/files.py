"""Cases that live in files: small simulated videos and calibration files, read by the stages capture and frames.

The images are noise, as nothing is detected in them. They carry a number, by which the simulated 2D poses of each
packed frame are found.
"""

import struct
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from bench.trust.cases import Case
from bench.trust.judge import Judged
from bench.trust.runs import PARAMS, Outcome, quiet, run_stages
from bench.trust.takes import recipes, scenes
from bench.trust.takes.take import Take
from bench.trust.verdicts import FREEDOM, errors_of, verdict
from pipeline.alerts import worst_first
from pipeline.capture import read_capture
from pipeline.datasets.videos import read_videos
from pipeline.errors import UserError
from pipeline.formats.calibration import write_calibration
from pipeline.geometry.camera.model import Camera
from pipeline.labels.moments import at_moments
from pipeline.video.extraction import extract_frames
from pipeline.video.packing import PackedFrames

SHRUNK = 6  # the videos are so much smaller than the cameras' images
# Each image carries the number of its frame and of its view, as a row of black and white blocks at the top.
ROW_BITS, VIEW_BITS, BLOCK_PX = 8, 2, 30


@dataclass(frozen=True)
class Video:
    """One video of a take: which frame of which view each of its frames shows; its time stamps are those frames'."""

    view: int
    rows: np.ndarray  # (F,)


def videos_of(take: Take) -> list[Video]:
    """The videos of all views."""
    return [Video(v, np.arange(take.recording.n_frames)) for v in range(take.n_views)]


def dropped(take: Take) -> list[Video]:
    """Each view lacks four frames, at another time; the time stamps jump there."""
    rows = recipes.dropped_rows(take, 4)
    return [Video(v, rows[:, v]) for v in range(take.n_views)]


def copied(take: Take) -> list[Video]:
    """The second video also stands in place of the third."""
    found = videos_of(take)
    return [*found[:2], found[1], *found[3:]]


@dataclass(frozen=True)
class FileCase:
    """What is written for a case: the videos, and changes of the calibration file and of the folder of footage."""

    number: int
    name: str
    videos: Callable[[Take], Sequence[Video]] = videos_of
    mode: str = "rig"
    sized: bool = True  # whether the calibration file has the image size
    scaled: float = 1.0  # image size that was calibrated over that of the videos
    copy_again: bool = False  # whether copies are encoded again, with another quality
    linked: bool = False  # whether the take's folder is a link


CASES = [
    FileCase(0, "files as filmed"),
    FileCase(2, "files: frames dropped, time stamps jump", dropped),
    FileCase(2, "files: frames dropped, time stamps jump", dropped, mode="known"),
    *(FileCase(3, "files: videos of half the calibrated size", mode=mode, sized=False, scaled=2.0)
      for mode in ("rig", "adjust", "known")),
    FileCase(6, "files: one video under two names", copied),
    FileCase(6, "files: one video under two names", copied, mode="known"),
    FileCase(6, "files: the same, encoded again", copied, copy_again=True),
    FileCase(10, "files: the take's folder is a link", linked=True),
]  # fmt: skip


class FileJudge:
    """Judges cases in files; runs on right files are kept, as several cases are compared with them."""

    def __init__(self, seed: int, seconds: float):
        self.take = small_room(seed, seconds)
        self._usual: dict[str, Outcome] = {}

    def judge(self, case: FileCase) -> Judged:
        """Write the files of a case, run the stages on them, and judge the labels against the truth."""
        truth = self.take.truth
        assert truth is not None
        assert truth.joints_world_mm is not None
        outcome, moments = _run(case, self.take)
        if case.mode not in self._usual:
            self._usual[case.mode] = _run(replace(CASES[0], mode=case.mode), self.take)[0]
        usual, freedom = self._usual[case.mode], FREEDOM[case.mode]
        before = errors_of(usual, [truth.joints_world_mm], truth.cameras, freedom)
        shifts = (0, 4, -4) if case.number == 2 else (0,)
        errors = errors_of(outcome, [truth.joints_world_mm[moments]], truth.cameras, freedom, shifts=shifts)
        found = verdict(outcome, errors, usual if case.number else None, before.labels_mm if before else 0.0)
        if case.linked and found == "right" and not outcome.warnings:
            found = "SILENT"  # the labels are right, but those of a video that replaces one later would not be made
        shown = Case(case.number, case.name, "files", recipes.unaltered, {"mode": case.mode}, is_alone=not case.number)
        return Judged(shown, outcome, errors, found)


def small_room(seed: int, seconds: float) -> Take:
    """A take in a room whose images are small."""
    cameras = []
    for camera in scenes.room_cameras(seed):
        K = np.diag([1 / SHRUNK, 1 / SHRUNK, 1]) @ camera.K
        width, height = (side // SHRUNK for side in camera.size_px)
        cameras.append(Camera(K, camera.dist, (width, height), camera.R_cam_from_world, camera.t_cam_from_world_mm))
    return scenes.take_of(scenes.walker(seed, seconds), cameras, seed)


def _run(case: FileCase, take: Take) -> tuple[Outcome, np.ndarray]:
    """The outcome, and the moments (F,) that its frames show in the middle of the views."""
    with tempfile.TemporaryDirectory() as folder, quiet():
        return _run_in(Path(folder), case, take)


def _run_in(folder: Path, case: FileCase, take: Take) -> tuple[Outcome, np.ndarray]:
    footage, capture, frames = folder / "footage", folder / "capture", folder / "frames"
    _write_footage(case, take, footage)
    capture.mkdir()
    params = PARAMS.capture.model_copy(update={"source": "videos", "root": str(footage), "test_subjects": []})
    try:
        read_videos(params, footage, capture)
        extract_frames(capture, frames, PARAMS.frames)
    except UserError as error:
        return Outcome(str(error), []), np.arange(0)
    found = read_capture(frames)
    [recording] = found.recordings
    arrays = {name: np.empty((recording.n_frames, *values.shape[1:])) for name, values in take.arrays.items()}
    rows = []
    for v, view in enumerate(recording.views):
        packed = PackedFrames(Path(view.file))
        shown = np.array([_number(packed[i]) for i in range(len(packed))])
        rows.append(shown[:, 0])
        for name, values in take.arrays.items():
            arrays[name][:, v] = values[shown[:, 0], shown[:, 1]]
    arrays = at_moments(recording, arrays)
    frames, poses2d = replace(take, recording=recording, arrays=arrays).write(folder / "written")
    outcome = run_stages(frames, poses2d, folder, mode=case.mode)
    alerts = worst_first([*getattr(found, "alerts", []), *outcome.alerts])
    return replace(outcome, alerts=alerts), np.median(rows, axis=0).round().astype(int)


def _write_footage(case: FileCase, take: Take, footage: Path) -> None:
    folder = footage / "S1_walk"
    real = footage.parent / "elsewhere" if case.linked else folder
    real.mkdir(parents=True)
    if case.linked:
        footage.mkdir()
        folder.symlink_to(real)
    cameras = {}
    for i, (view, video) in enumerate(zip(take.recording.views, case.videos(take), strict=True)):
        again = case.copy_again and video.view != i
        write_video(real / f"{view.name}.mp4", video, view.size_px, take.recording.fps, shift=3 if again else 0)
        K = np.diag([case.scaled, case.scaled, 1]) @ view.camera.K
        cameras[view.name] = replace(view.camera, K=K)
    write_calibration_file(footage, cameras, sized=case.sized)


def write_video(path: Path, video: Video, size_px: tuple[int, int], fps: float, shift: int) -> None:
    """Write numbered noise at the times of the video's frames; `shift` is added to all images."""
    width, height = size_px
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, size_px)
    for row in video.rows:
        coarse = np.random.default_rng([video.view, row]).integers(60, 190, (height // 20, width // 20, 3))
        image = cv2.resize((coarse + shift).astype(np.uint8), size_px, interpolation=cv2.INTER_CUBIC)
        for bit in range(ROW_BITS + VIEW_BITS):
            is_white = (int(row) + (video.view << ROW_BITS)) >> bit & 1
            image[:BLOCK_PX, bit * BLOCK_PX : (bit + 1) * BLOCK_PX] = 255 if is_white else 0
        writer.write(image)
    writer.release()
    if (np.diff(video.rows) > 1).any():
        _set_durations(path, np.append(np.diff(video.rows), 1))


def _number(image: np.ndarray) -> tuple[int, int]:
    """The number of the frame and of the view that an image shows."""
    middle = BLOCK_PX // 2
    bits = [int(image[middle, bit * BLOCK_PX + middle].mean() > 127) for bit in range(ROW_BITS + VIEW_BITS)]
    number = sum(value << bit for bit, value in enumerate(bits))
    return number % (1 << ROW_BITS), number >> ROW_BITS


def _set_durations(path: Path, frames: np.ndarray) -> None:
    """Rewrite the time stamps of an mp4, so that each of its frames lasts as long as so many."""
    data = bytearray(path.read_bytes())
    at = data.index(b"stts") - 4
    old, _, _, _, _, duration = struct.unpack(">I4sIIII", data[at : at + 24])
    table = b"".join(struct.pack(">II", 1, duration * int(n)) for n in frames)
    data[at : at + old] = struct.pack(">I4sII", 16 + len(table), b"stts", 0, len(frames)) + table
    for name in (b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        place = slice(data.rindex(name, 0, at) - 4, data.rindex(name, 0, at))
        data[place] = struct.pack(">I", struct.unpack(">I", data[place])[0] + 16 + len(table) - old)
    for name, offset in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20), (b"elst", 12)):
        start = data.index(name) + offset
        length = struct.unpack(">I", data[start : start + 4])[0] * frames.mean()
        data[start : start + 4] = struct.pack(">I", round(length))
    path.write_bytes(data)


def write_calibration_file(footage: Path, cameras: dict[str, Camera], *, sized: bool) -> None:
    """Write EasyMocap's intri.yml and extri.yml; without image sizes unless `sized`."""
    path = footage / "intri.yml"
    write_calibration(path, cameras, "opencv")
    if not sized:
        path.write_text("".join(line for line in path.read_text().splitlines(True) if line[:2] not in ("W_", "H_")))


def run(seed: int, seconds: float) -> list[Judged]:
    """Judge all cases and print them one by one."""
    judge, found = FileJudge(seed, seconds), []
    for case in CASES:
        found.append(judge.judge(case))
        print(found[-1], flush=True)
    return found
