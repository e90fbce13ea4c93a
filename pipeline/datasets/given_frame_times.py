"""Times of the frames of a take's videos, from a file beside them that the recording program wrote."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pipeline.datasets.tables import read_table
from pipeline.datasets.takes import Take
from pipeline.errors import UserError
from pipeline.formats.camera_names import match_cameras
from pipeline.video.times import Clock, clock_of

log = logging.getLogger("epiline")

# frame_times.csv is ours; the others are Caliscope's, before and after it wrote a line without a number per frame.
FILES = ("frame_times.csv", "frame_time_history.csv", "timestamps.csv")
CAMERA, FRAME, TIME = ("camera", "cam_id", "port"), ("frame", "frame_index"), ("time_s", "frame_time")
# Programs often stop before the last frames are written to a video: it may have so many fewer frames than times.
MAX_UNWRITTEN = 2
# Times that run faster than those of another camera by more than this, by the rates of the videos, have another unit.
OTHER_UNIT = 100.0
UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


def read_given_times(take: Take, clocks: Mapping[str, Clock]) -> dict[str, np.ndarray] | None:
    """Times (F,) in s of the frames of each video, on one clock; None without a file.

    `clocks` are those of the videos, by the videos' names. The unit of the times is the one with which their rate is
    closest to that of the videos.
    Raises UserError for a file that cannot be understood, and if times and videos do not belong together.
    """
    path = next((found for name in FILES if (found := take.folder / name).exists()), None)
    if path is None:
        return None
    given = _read(path)
    try:
        camera_of = match_cameras(list(clocks), list(given)).camera_of
    except UserError as error:
        what = f"{error.what} in the file, whose cameras are {', '.join(given)}"
        raise UserError(
            what, where=str(path), fix="Name the videos as the cameras in this file, or remove it."
        ) from None
    times = {video: _of_video(path, video, given[camera], clocks[video]) for video, camera in camera_of.items()}
    unit = _unit(path, times, clocks)
    log.info("%s: the times of the frames of %s are taken from it, in %s", path, ", ".join(times), unit)
    times = {video: UNITS[unit] * own for video, own in times.items()}
    if max(own[0] for own in times.values()) >= min(own[-1] for own in times.values()):
        spans = ", ".join(f"{video} {own[0]:.2f} to {own[-1]:.2f} s" for video, own in times.items())
        fix = "Remove the file if its times are not on one clock."
        raise UserError(f"The videos have no time in common: {spans}", where=str(path), fix=fix)
    return times


def _read(path: Path) -> dict[str, np.ndarray]:
    """The times of each camera, in the order of its frames."""
    rows: dict[str, list[tuple[float, float]]] = {}
    for line, row in read_table(path):
        camera, frame, time = (next((row[key] for key in keys if key in row), None) for keys in (CAMERA, FRAME, TIME))
        try:
            assert camera
            own = rows.setdefault(camera, [])
            own.append((float(len(own) if frame is None else frame), float(time)))  # type: ignore[arg-type]
        except (AssertionError, TypeError, ValueError):
            fix = "Write the columns camera,frame,time_s, for example cam1,0,12.345."
            raise UserError(f"{path} has no camera and time", where=f"line {line}", fix=fix) from None
    if not rows:
        raise UserError(f"{path} has no times", fix="Remove it, or write one line for each frame of each video.")
    return {camera: np.array(sorted(own))[:, 1] for camera, own in rows.items()}


def _of_video(path: Path, video: str, times: np.ndarray, clock: Clock) -> np.ndarray:
    n = len(clock.numbers)
    if not 0 <= len(times) - n <= MAX_UNWRITTEN:
        fix = "Write one line for each frame of the video, or remove the file."
        raise UserError(f"{len(times)} times of {video}, whose video has {n} frames", where=str(path), fix=fix)
    times = times[:n]
    is_wrong = ~(np.diff(times, prepend=-np.inf) > 0) | ~np.isfinite(times)
    if is_wrong.any():
        first = int(np.argmax(is_wrong))
        fix = "Write the time at which each frame was taken, or remove the file."
        raise UserError(f"The times of {video} do not increase at frame {first}", where=str(path), fix=fix)
    return times


def _unit(path: Path, times: Mapping[str, np.ndarray], clocks: Mapping[str, Clock]) -> str:
    """The unit of the times. Raises UserError if the cameras' times are not in one unit, by the rates of the videos."""
    ratios = {video: clock_of(own).fps / clocks[video].fps for video, own in times.items() if clocks[video].fps}
    if not ratios or min(ratios.values()) <= 0:
        return "s"
    # Times that run fast give a low rate.
    fast, slow = min(ratios, key=lambda video: ratios[video]), max(ratios, key=lambda video: ratios[video])
    if (factor := ratios[slow] / ratios[fast]) > OTHER_UNIT:
        what = f"The times of {fast} run {factor:.4g} times as fast as those of {slow}, by the rates of their videos"
        raise UserError(what, where=str(path), fix="Write the times of all cameras in one unit.")
    return min(UNITS, key=lambda unit: abs(np.log(np.median(list(ratios.values())) / UNITS[unit])))
