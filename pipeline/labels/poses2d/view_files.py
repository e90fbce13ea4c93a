"""The files of each view of a recording, and which frames of the video their frames are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.capture import Recording, SourceImages, View
from pipeline.errors import UserError
from pipeline.formats.camera_names import match_cameras
from pipeline.formats.poses2d.frame_numbers import FrameMatch, VideoFrames, match_frames
from pipeline.formats.poses2d.people import PoseFile

# Images whose width and height differ in scale by less than this share, and a pixel, have the same shape.
SAME_SHAPE = 0.002


@dataclass(frozen=True)
class FilePixels:
    """The pixels that a view's files count in."""

    size_px: tuple[int, int]  # width and height of their images
    packed_from_file: np.ndarray  # (3, 3) pixels of the packed frames from theirs

    def packed(self, points_px: np.ndarray) -> np.ndarray:
        """Points (..., 2) in the pixels of the packed frames."""
        return np.asarray(points_px @ self.packed_from_file[:2, :2].T + self.packed_from_file[:2, 2])


@dataclass(frozen=True)
class ViewFiles:
    """The 2D poses of the views of a recording; views without files are in none of the mappings."""

    source_of: dict[str, str]  # of each view: its name in the files
    files: dict[str, PoseFile]  # of each view
    matches: dict[str, FrameMatch]  # of each view
    by_order: bool  # whether only the order of the names tells which file is of which view

    def rows(self, view: str, n_frames: int) -> np.ndarray:
        """The row (F,) of each frame in the files of a view; -1: none."""
        return self.matches[view].rows if view in self.matches else np.full(n_frames, -1)

    def pixels(self, view: View, counted_in: Literal["video", "calibration"]) -> FilePixels:
        """The pixels of a view's files: of images of the size that they state, else of those of `counted_in`.

        Raises UserError if that size is neither the video's nor the calibration's in another resolution.
        """
        images, file = source_images(view), self.files.get(view.name)
        of_video = _resize(images.video_px, view.size_px)
        of_calibration = np.array(images.packed_from_calibrated)
        stated = None if file is None else file.size_px
        if stated is None and counted_in == "calibration":
            return FilePixels(images.calibrated_px, of_calibration)
        if stated is None or _same_shape(stated, images.video_px):
            size_px = stated or images.video_px
            return FilePixels(size_px, of_video @ _resize(size_px, images.video_px))
        if _same_shape(stated, images.calibrated_px):
            return FilePixels(stated, of_calibration @ _resize(stated, images.calibrated_px))
        own, video = ("{}x{}".format(*px) for px in (stated, images.video_px))
        what = f"The 2D poses of {view.name} are of images of {own}, and its video is {video}"
        raise UserError(what, where=self.files[view.name].where, fix="Detect on the same videos.")


def _same_shape(a: tuple[int, int], b: tuple[int, int]) -> bool:
    """Whether images are the same but for their resolution, which is rounded to pixels."""
    return abs(a[0] * b[1] / (a[1] * b[0]) - 1) < SAME_SHAPE + 1 / min(*a, *b)


def _resize(from_px: tuple[int, int], to_px: tuple[int, int]) -> np.ndarray:
    """Pixels (3, 3) of resized images from those of the original: x maps to (x + 0.5) * s - 0.5."""
    sx, sy = to_px[0] / from_px[0], to_px[1] / from_px[1]
    return np.array([[sx, 0, 0.5 * sx - 0.5], [0, sy, 0.5 * sy - 0.5], [0, 0, 1]])


def match_views(recording: Recording, opened: Mapping[str, PoseFile]) -> ViewFiles:
    """The files of each view, by the names of both, which programs write in different ways.

    Raises UserError if names fit several views, or if there are views without files and files without views.
    """
    names, sources = [view.name for view in recording.views], list(opened)
    try:
        if len(sources) < len(names):
            match = match_cameras(sources, names)
            source_of = {view: source for source, view in match.camera_of.items()}
        else:
            match = match_cameras(names, sources)
            source_of = match.camera_of
    except UserError as error:
        what = f"Which 2D poses are of which view cannot be told: views {', '.join(names)}, files {', '.join(sources)}"
        fix = f"Name the files of each view like the view. {error.what}."
        raise UserError(what, where=recording.name, fix=fix) from None
    files = {view: opened[source] for view, source in source_of.items()}
    videos = {view.name: _video_frames(recording, view) for view in recording.views}
    matches = match_frames({view: file.numbers for view, file in files.items()}, videos)
    return ViewFiles(source_of, files, matches, match.by_order)


def _video_frames(recording: Recording, view: View) -> VideoFrames:
    source = source_images(view)
    if source.indices is not None:
        return VideoFrames(source.n_frames, np.load(source.indices))
    kept = np.arange(recording.n_frames) if recording.frame_numbers is None else np.array(recording.frame_numbers)
    return VideoFrames(source.n_frames, kept)


def source_images(view: View) -> SourceImages:
    """The images that a view's frames were made from. Raises UserError if an older manifest does not have them."""
    if view.source is None:
        what = f"The size of the video of {view.name} is not in the manifest of the frames"
        raise UserError(what, fix="Run dvc repro frames.")
    return view.source
