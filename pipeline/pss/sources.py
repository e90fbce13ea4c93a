"""The poses a reference is fitted on: those of the training recordings as their cameras see them, true or labelled."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from pipeline.capture import Capture, Recording, read_capture
from pipeline.errors import UserError
from pipeline.skeleton import N_JOINTS
from pipeline.stores import LABELS, TRUTH, RecordingGroup, Store, open_store

# Of longer captures this many poses are drawn: more change the scores less than another seed does (docs/metrics.md).
POSES_AT_MOST = 200_000

Piece = tuple[str, int, np.ndarray]  # recording, view, and its poses (frame, joint, 3)


def has_truth(capture: Capture, frames: Path) -> bool:
    """Whether the true poses of the training recordings in their cameras' frames are known."""
    return (frames / "truth.zarr").exists() and any(
        recording.views[v].camera.has_extrinsics
        for recording in _training(capture)
        for v in recording.view_indices(for_labels=True)
    )


def draw_poses(capture: Capture, frames: Path, labels: Path, source: str, seed: int) -> np.ndarray:
    """At most about `POSES_AT_MOST` poses (pose, joint, 3) from `source` (truth or labels), each as likely as another.

    Stores are read piece by piece, so that memory does not grow with the capture.
    """
    total = sum(r.n_frames * len(r.view_indices(for_labels=True)) for r in _training(capture))
    share = min(1.0, POSES_AT_MOST / max(total, 1))
    rng = np.random.default_rng(seed)
    pieces = true_pieces(capture, frames) if source == "truth" else label_pieces(capture, labels)
    drawn = [piece[rng.random(len(piece)) < share] for _, _, piece in pieces]
    return np.concatenate(drawn) if drawn else np.empty((0, N_JOINTS, 3))


def true_pieces(capture: Capture, frames: Path) -> Iterator[Piece]:
    """The true poses in the frames of the views that see them."""
    for recording, group, rows in _shards(capture, open_store(frames / "truth.zarr", TRUTH)):
        world = group.rows("joints_world_mm", *rows)
        for v in recording.view_indices(for_labels=True):
            camera = recording.views[v].camera
            if camera.has_extrinsics:
                yield recording.name, v, camera.to_camera(world)


def label_pieces(capture: Capture, labels: Path) -> Iterator[Piece]:
    """The labels in the frames of the views that see them."""
    for recording, group, rows in _shards(capture, open_store(labels, LABELS)):
        cam = group.rows("joints_cam_mm", *rows)
        yield from ((recording.name, v, cam[:, v]) for v in recording.view_indices(for_labels=True))


def labels_and_truth(frames: Path, labels: Path) -> tuple[np.ndarray, np.ndarray]:
    """The labels and the true poses of the training recordings, (pose, joint, 3) each, mm, of the views that have both.

    Raises UserError where the capture has no truth.
    """
    capture = read_capture(frames)
    if not has_truth(capture, frames):
        raise UserError(f"{frames} holds no truth to score labels against", fix="Run it on the demo, or on a data set.")
    true, found = _joined(true_pieces(capture, frames)), _joined(label_pieces(capture, labels))
    seen = [key for key in true if key in found]
    return np.concatenate([found[key] for key in seen]), np.concatenate([true[key] for key in seen])


def _joined(pieces: Iterable[Piece]) -> dict[tuple[str, int], np.ndarray]:
    found: dict[tuple[str, int], list[np.ndarray]] = {}
    for recording, view, poses in pieces:
        found.setdefault((recording, view), []).append(poses)
    return {key: np.concatenate(parts) for key, parts in found.items()}


def _shards(capture: Capture, store: Store) -> Iterator[tuple[Recording, RecordingGroup, tuple[int, int]]]:
    """The training recordings that the store has, and the rows (start, stop) of each of their shards."""
    for recording in _training(capture):
        if recording.name in store:
            group = store[recording.name]
            yield from ((recording, group, rows) for rows in group.shards())


def _training(capture: Capture) -> list[Recording]:
    return [recording for recording in capture.recordings if recording.split == "train"]
