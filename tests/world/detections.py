"""The 2D poses of a world: its projected joints with known errors."""

from pathlib import Path
from typing import Any

import numpy as np

from pipeline.stores import POSES2D, Poses2dRecord, create_store, reopen
from tests.world.capture import World, walkers
from tests.world.records import POSES2D_SUMMARY

LANDMARKS_FROM_JOINTS_MM = np.array([60.0, -40, 50])


def write_poses2d(
    world: World,
    *,
    noise_px: float = 0.0,
    offset_px: float = 0.0,
    margin_px: float = 0.0,
    confidence: float = 1.0,
    nobody: tuple[int, int] | None = None,
    n_crashed: int = 0,
    landmarks: bool = False,
) -> None:
    """Write the projected joints, with normal noise and moved right by `offset_px`, in a box with a margin.

    In the frame and view `nobody` the detector found no person. It crashed on `n_crashed` images of the first view of
    each recording. Landmarks, if wanted, are exact: the joints and points near them.
    """
    with create_store(world.paths.poses2d, POSES2D, POSES2D_SUMMARY) as store:
        for recording in world.capture.recordings:
            px = world.joints_px(recording.name)
            px = px + np.random.default_rng(7).normal(size=px.shape) * noise_px + np.array([offset_px, 0])
            box = np.concatenate([px.min(2) - margin_px, px.max(2) + margin_px], -1)
            if nobody is not None:
                px[nobody], box[nobody] = np.nan, np.nan
            views = [view.name for view in recording.views]
            record = Poses2dRecord(
                persons=[recording.subject], views=views, found=dict.fromkeys(views, len(px)),
                crashed={**dict.fromkeys(views, 0), views[0]: n_crashed},
            )  # fmt: skip
            marks_px = _landmarks_px(world, recording.name)[:, :, : None if landmarks else 0]
            sizes = {"frame": len(px), "view": px.shape[1], "landmark": marks_px.shape[2]}
            store.create(recording.name, sizes, record).person(0).write(0, {
                "joints_px": px, "confidence": np.where(np.isfinite(px[..., 0]), confidence, 0.0), "box_px": box,
                "landmarks_px": marks_px, "landmark_confidence": np.ones(marks_px.shape[:3]),
            })  # fmt: skip


def _landmarks_px(world: World, name: str) -> np.ndarray:
    joints = world.joints_world_mm[name]
    marks = np.concatenate([joints, joints + LANDMARKS_FROM_JOINTS_MM], 1)
    return np.stack([camera.project(marks) for camera in world.cameras], 1)


def observed_walkers(root: Path, *, noise_px: float = 1.0, landmarks: bool = False, **changes: Any) -> World:
    """People who walk (see `walkers` for the changes) and their 2D poses."""
    world = walkers(root, **changes)
    write_poses2d(world, noise_px=noise_px, landmarks=landmarks)
    return world


def overwrite_poses2d(world: World, recording: str, **arrays: Any) -> None:
    """Overwrite arrays of the 2D poses of a recording."""
    reopen(world.paths.poses2d, POSES2D)[recording].person(0).write(0, arrays)
