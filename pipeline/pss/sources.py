"""The poses that a reference is fitted on: true poses or labels of the training recordings, in camera frames."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from pipeline.capture import Capture, Recording, read_capture
from pipeline.errors import UserError
from pipeline.skeleton import N_JOINTS
from pipeline.stores import LABELS, TRUTH, Record, RecordingGroup, Store, open_store

# Longer captures are sampled, as more poses change the scores less than another seed does (docs/metrics.md).
MAX_POSES = 200_000

Piece = tuple[str, int, np.ndarray]  # recording, index of the view, and poses (frame, joint, 3)
AnyRecord = TypeVar("AnyRecord", bound=Record)


def has_truth(capture: Capture, frames: Path) -> bool:
    """Whether the true poses of any training recording are known in the frame of a camera."""
    return (frames / "truth.zarr").exists() and any(
        recording.views[v].camera.has_extrinsics
        for recording in _training(capture)
        for v in recording.view_indices(for_labels=True)
    )


def draw_poses(capture: Capture, frames: Path, labels: Path, source: str, seed: int) -> np.ndarray:
    """About `MAX_POSES` poses (pose, joint, 3), or all if there are fewer, drawn with equal probability.

    `source` is truth or labels. The stores are read shard by shard, so that memory does not grow with the capture.
    """
    total = sum(r.n_frames * len(r.view_indices(for_labels=True)) for r in _training(capture))
    share = min(1.0, MAX_POSES / max(total, 1))
    rng = np.random.default_rng(seed)
    pieces = true_pieces(capture, frames) if source == "truth" else label_pieces(capture, labels)
    drawn = [piece[rng.random(len(piece)) < share] for _, _, piece in pieces]
    return np.concatenate(drawn) if drawn else np.empty((0, N_JOINTS, 3))


def true_pieces(capture: Capture, frames: Path) -> Iterator[Piece]:
    """The true poses in the frame of each labelling view, mm."""
    for recording, group, rows in _shards(capture, open_store(frames / "truth.zarr", TRUTH)):
        world = group.rows("joints_world_mm", *rows)
        for v in recording.view_indices(for_labels=True):
            camera = recording.views[v].camera
            if camera.has_extrinsics:
                yield recording.name, v, camera.to_camera(world)


def label_pieces(capture: Capture, labels: Path) -> Iterator[Piece]:
    """The labels in the frame of each labelling view, in the unit of the rig."""
    for recording, group, rows in _shards(capture, open_store(labels, LABELS)):
        cam = group.rows("joints_cam_mm", *rows)
        yield from ((recording.name, v, cam[:, v]) for v in recording.view_indices(for_labels=True))


def labels_and_truth(frames: Path, labels: Path) -> tuple[np.ndarray, np.ndarray]:
    """The labels and the true poses of the training recordings, (pose, joint, 3) each, mm, of the views that have both.

    Raises UserError if the capture has no truth.
    """
    capture = read_capture(frames)
    if not has_truth(capture, frames):
        raise UserError(f"{frames} holds no truth to score labels against", fix="Run it on the demo, or on a data set.")
    true, labelled = _joined(true_pieces(capture, frames)), _joined(label_pieces(capture, labels))
    both = [key for key in true if key in labelled]
    return np.concatenate([labelled[key] for key in both]), np.concatenate([true[key] for key in both])


def _joined(pieces: Iterable[Piece]) -> dict[tuple[str, int], np.ndarray]:
    parts: dict[tuple[str, int], list[np.ndarray]] = {}
    for recording, view, poses in pieces:
        parts.setdefault((recording, view), []).append(poses)
    return {key: np.concatenate(own) for key, own in parts.items()}


def _shards(
    capture: Capture, store: Store[AnyRecord, Any]
) -> Iterator[tuple[Recording, RecordingGroup[AnyRecord], tuple[int, int]]]:
    """The training recordings of a store, with the arrays of their person and the rows (start, stop) of each shard."""
    for recording in _training(capture):
        if recording.name in store:
            group = store[recording.name].person(0)
            yield from ((recording, group, rows) for rows in group.shards())


def _training(capture: Capture) -> list[Recording]:
    return [recording for recording in capture.recordings if recording.split == "train"]
