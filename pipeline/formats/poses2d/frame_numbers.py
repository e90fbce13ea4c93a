"""Which frame of the video each frame of the files is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


def number_in_name(name: str) -> int | None:
    """The frame's number in the name of its file: the last number, as programs write it.

    >>> number_in_name("cam01_000000000042_keypoints"), number_in_name("Static_cam_02.00009"), number_in_name("walk")
    (42, 9, None)
    """
    found = re.findall(r"\d+", name)
    return int(found[-1]) if found else None


@dataclass(frozen=True)
class FrameMatch:
    """The frames of a view's files that belong to the kept frames of its video."""

    first: int  # the number that the files give to the first frame of the video
    rows: np.ndarray  # (F,) of each kept frame: the row of its number; -1: none
    n_beyond: int  # numbers after the end of the video
    n_missing: int  # kept frames of the video that the files do not have


@dataclass(frozen=True)
class VideoFrames:
    """The frames of a view's video, and those that are kept."""

    n_frames: int
    kept: np.ndarray  # (F,) index of each kept frame in the video; -1: the view has none at that moment


def match_frames(numbers: Mapping[str, np.ndarray], videos: Mapping[str, VideoFrames]) -> dict[str, FrameMatch]:
    """The match of each view from the increasing numbers in its files and the frames of its video.

    The first frame is 0 in files of some programs, 1 in those of others, and more in files of videos that were cut.
    Files of exactly as many frames as the video has are those of the video in order, whatever their numbers. Else the
    lowest number of all views counts: the first frame is 0 if all numbers are below the number of frames of their
    video, or if the lowest number is 0; otherwise, as some are beyond the end of the video, it is the lowest number.
    """
    given = {view: own for view, own in numbers.items() if len(own)}
    lowest = min((int(own[0]) for own in given.values()), default=0)
    fits = all(int(own[-1]) < videos[view].n_frames for view, own in given.items())
    return {view: _match(own, videos[view], 0 if fits else lowest) for view, own in numbers.items()}


def _match(numbers: np.ndarray, video: VideoFrames, common: int) -> FrameMatch:
    has_frame = video.kept >= 0
    if not len(numbers):
        return FrameMatch(common, np.full(len(video.kept), -1), 0, int(has_frame.sum()))
    if len(numbers) == video.n_frames:
        return FrameMatch(int(numbers[0]), video.kept, 0, 0)
    at = np.searchsorted(numbers, video.kept + common)
    found = (numbers[np.minimum(at, len(numbers) - 1)] == video.kept + common) & has_frame
    n_beyond = int((numbers >= common + video.n_frames).sum())
    return FrameMatch(common, np.where(found, at, -1), n_beyond, int((has_frame & ~found).sum()))
