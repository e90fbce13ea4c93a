"""SLEAP's analysis files, HDF5.

Format: `tracks` (people, 2, points, frames) in pixels, NaN where missing, `node_names`, and optionally `point_scores`
(people, points, frames) and `video_path`, which names the view. Newer files name the dimensions of their arrays in the
attribute `dims`, which may then have another order.
"""

import json
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np

from pipeline.formats.poses2d.hdf5.file import opened_h5, text
from pipeline.formats.poses2d.people import LoadedPoses


def open_views(path: Path) -> dict[str, LoadedPoses]:
    """The view of an analysis file; none if it is something else. Raises UserError if h5py is not installed."""
    with opened_h5(path) as file:
        if file is None or not {"tracks", "node_names"} <= set(file):
            return {}
        points = tuple(text(name) for name in file["node_names"][()])
        tracks = _ordered(file["tracks"], ("frame", "track", "node", "xy"), "track xy node frame")
        scores = np.ones(tracks.shape[:3])
        if "point_scores" in file:
            scores = _ordered(file["point_scores"], ("frame", "track", "node"), "track node frame")
        video = text(file["video_path"][()]) if "video_path" in file else ""
    n_frames, n_people = tracks.shape[:2]
    values = np.concatenate([tracks, scores[..., None]], -1).reshape(-1, len(points), 3)
    owners = np.repeat(np.arange(n_frames), n_people)
    view = PureWindowsPath(video).stem or path.name.partition(".")[0]
    return {view: LoadedPoses(str(path), "named", points, None, np.arange(n_frames), owners, values)}


def _ordered(array: Any, wanted: tuple[str, ...], usual: str) -> np.ndarray:
    """An array of a file with its dimensions in the wanted order."""
    dims = json.loads(text(array.attrs["dims"])) if "dims" in array.attrs else usual.split()
    return np.asarray(array[()], float).transpose([dims.index(name) for name in wanted])
