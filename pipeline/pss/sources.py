"""The poses that a reference is fitted on: true poses or labels of the training recordings, in camera frames."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from pipeline.capture import Capture, Recording, read_capture
from pipeline.errors import UserError
from pipeline.skeleton import N_JOINTS
from pipeline.stores import LABELS, Record, RecordingGroup, Store, open_store
from pipeline.truth import Truth, open_truth

# Longer captures are sampled, as more poses change the scores less than another seed does (docs/metrics.md).
MAX_POSES = 200_000

Piece = tuple[str, int, np.ndarray]  # recording, index of the view, and poses (frame, joint, 3)
AnyRecord = TypeVar("AnyRecord", bound=Record)


def has_truth(capture: Capture, truth: Truth | None) -> bool:
    """Whether the true poses of any training recording are known in the frame of a camera."""
    return truth is not None and any(
        truth.cameras(recording).has_pose[recording.view_indices(for_labels=True)].any()
        for recording in _training(capture)
        if recording in truth
    )


def draw_poses(capture: Capture, truth: Truth | None, labels: Path, seed: int) -> np.ndarray:
    """About `MAX_POSES` poses (pose, joint, 3), or all if there are fewer, drawn with equal probability.

    They are those of the truth, or labels if it is None. The stores are read shard by shard, so that memory does not
    grow with the capture.
    """
    total = sum(r.n_frames * len(r.view_indices(for_labels=True)) for r in _training(capture))
    share = min(1.0, MAX_POSES / max(total, 1))
    rng = np.random.default_rng(seed)
    pieces = label_pieces(capture, labels) if truth is None else true_pieces(capture, truth)
    drawn = [piece[rng.random(len(piece)) < share] for _, _, piece in pieces]
    return np.concatenate(drawn) if drawn else np.empty((0, N_JOINTS, 3))


def true_pieces(capture: Capture, truth: Truth) -> Iterator[Piece]:
    """The true poses in the frame of each labelling view, mm."""
    for recording, group, rows in _shards(capture, truth.store):
        cameras = truth.cameras(recording)
        in_cameras = cameras.to_cameras(group.rows("joints_world_mm", *rows), rows[0])
        for v in recording.view_indices(for_labels=True):
            if cameras.has_pose[v]:
                yield recording.name, v, in_cameras[:, v]


def label_pieces(capture: Capture, labels: Path) -> Iterator[Piece]:
    """The labels in the frame of each labelling view, in the unit of the rig."""
    for recording, group, rows in _shards(capture, open_store(labels, LABELS)):
        cam = group.rows("joints_cam_mm", *rows)
        yield from ((recording.name, v, cam[:, v]) for v in recording.view_indices(for_labels=True))


def labels_and_truth(frames: Path, labels: Path, rigs: Path) -> tuple[np.ndarray, np.ndarray]:
    """The labels and the true poses of the training recordings, (pose, joint, 3) each, mm, of the views that have both.

    Raises UserError if the capture has no truth.
    """
    capture, truth = read_capture(frames), open_truth(frames / "truth.zarr", labels, rigs)
    if truth is None or not has_truth(capture, truth):
        raise UserError(f"{frames} holds no truth to score labels against", fix="Run it on the demo, or on a data set.")
    true, labelled = _joined(true_pieces(capture, truth)), _joined(label_pieces(capture, labels))
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
