"""What the log and the report say about 2D poses from files: what is missing, left over or doubtful."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Recording
from pipeline.labels.poses2d.view_files import ViewFiles

log = logging.getLogger("epiline")
# More of the points outside the images, or none in more than this part of their width and height in any view, are signs
# of images of another size.
MAX_OUTSIDE, MIN_EXTENT = 0.05, 0.55


@dataclass(frozen=True)
class PixelUse:
    """Where the points of all people lie in the images of V views."""

    n_points: np.ndarray  # (V,)
    n_outside: np.ndarray  # (V,) outside the image
    extent: np.ndarray  # (V, 2) 99th percentile of x and y over width and height

    @classmethod
    def of(cls, points_px: np.ndarray, size_px: tuple[int, int]) -> "PixelUse":
        """The use of one view's images by points (P, L, 2)."""
        points = points_px[np.isfinite(points_px).all(-1)]
        outside = ((points < -0.5) | (points > np.array(size_px) - 0.5)).any(-1)
        extent = np.percentile(points, 99, axis=0) / size_px if len(points) else np.zeros(2)
        return cls(np.array(len(points)), outside.sum(), extent)

    @classmethod
    def stacked(cls, views: Sequence["PixelUse"]) -> "PixelUse":
        """The uses of several views."""
        return cls(*(np.stack([getattr(one, name) for one in views]) for name in ("n_points", "n_outside", "extent")))

    @classmethod
    def joined(cls, blocks: Sequence["PixelUse"]) -> "PixelUse":
        """The use of the same views' images in several blocks of frames."""
        n_points, n_outside = (np.sum([getattr(b, name) for b in blocks], axis=0) for name in ("n_points", "n_outside"))
        return cls(n_points, n_outside, np.max([block.extent for block in blocks], axis=0))


def about_recording(recording: Recording, views: ViewFiles, use: PixelUse, others: Mapping[str, int]) -> list[Alert]:
    """Log what was read for a recording; return the doubts about it."""
    firsts = ", ".join(f"{view} {match.first}" for view, match in views.matches.items())
    log.info("%s: number of the video's first frame in the files: %s", recording.name, firsts or "no files")
    return [
        *_missing_views(recording, views), *_names(recording, views), *_beyond(recording, views),
        *_gaps(recording, views), *_sizes(recording, use), *_others(recording, others),
    ]  # fmt: skip


def _missing_views(recording: Recording, views: ViewFiles) -> list[Alert]:
    missing = [view.name for view in recording.views if view.name not in views.files]
    if not missing:
        return []
    return [Alert(
        kind="poses_missing", severity="warning", subject=recording.name,
        message=f"there are no files of 2D poses of {', '.join(missing)}; these views count as empty",
        mend=f"Put them into a folder named like the view in the folder {recording.name}.",
    )]  # fmt: skip


def _names(recording: Recording, views: ViewFiles) -> list[Alert]:
    if not views.by_order:
        return []
    pairs = ", ".join(f"{source} is {view}" for view, source in views.source_of.items())
    return [Alert(
        kind="poses_by_order", severity="note", subject=recording.name,
        message=f"only the order of the names tells which 2D poses are of which view: {pairs}",
        mend="Name the files like the views.",
    )]  # fmt: skip


def _beyond(recording: Recording, views: ViewFiles) -> list[Alert]:
    beyond = {view: match.n_beyond for view, match in views.matches.items()}
    if not any(beyond.values()):
        return []
    is_alike = len(set(beyond.values())) == 1
    shown = ", ".join(f"{view} {n}" for view, n in beyond.items())
    return [Alert(
        kind="poses_beyond_video", severity="note" if is_alike else "warning", subject=recording.name,
        message="the files of 2D poses have frames beyond the end of the video, which are not used; where the two start"
        " together cannot be checked",
        evidence=f"frames beyond: {shown}", mend="Detect on the same videos that the capture has.",
    )]  # fmt: skip


def _gaps(recording: Recording, views: ViewFiles) -> list[Alert]:
    gaps = {view: match.n_missing for view, match in views.matches.items() if match.n_missing}
    if not gaps:
        return []
    shown = ", ".join(f"{view} {n}" for view, n in gaps.items())
    return [Alert(
        kind="poses_gaps", severity="note", subject=recording.name,
        message="the files of 2D poses lack frames of the video, which count as frames without a person",
        evidence=f"of {recording.n_frames} frames: {shown}",
    )]  # fmt: skip


def _sizes(recording: Recording, use: PixelUse) -> list[Alert]:
    mend = "Detect on the same videos that the capture has, or scale the coordinates."
    outside = use.n_outside / np.maximum(use.n_points, 1)
    too_large = [view.name for view, share in zip(recording.views, outside, strict=True) if share > MAX_OUTSIDE]
    alerts = []
    if too_large:
        alerts.append(Alert(
            kind="poses_of_other_images", severity="warning", subject=f"{recording.name}, {', '.join(too_large)}",
            message="many points lie outside the images, as if they were detected in images of another size",
            evidence=f"{100 * outside.max():.0f} % of the points", mend=mend,
        ))  # fmt: skip
    largest = float(use.extent.max(initial=0))
    if use.n_points.any() and largest <= MIN_EXTENT:
        alerts.append(Alert(
            kind="poses_of_other_images", severity="warning", subject=recording.name,
            message="all points lie in the top left part of the images, as if they were detected in smaller images",
            evidence=f"in {100 * largest:.0f} % of width and height, in every view", mend=mend,
        ))  # fmt: skip
    return alerts


def _others(recording: Recording, others: Mapping[str, int]) -> list[Alert]:
    if not any(others.values()):
        return []
    shown = ", ".join(f"{view} {n}" for view, n in others.items() if n)
    return [Alert(
        kind="other_people", severity="note", subject=recording.name,
        message="the files of 2D poses have several people in a frame; in each view, the person with the largest sum of"
        " area times confidence over time is kept",
        evidence=f"of {recording.n_frames} frames: {shown}",
    )]  # fmt: skip
