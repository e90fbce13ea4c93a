"""A world of coloured stick figures: learnable in seconds, its frames kept as plain arrays."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from pipeline.capture import Capture, Recording, View, read_capture
from pipeline.capture_paths import CapturePaths
from pipeline.geometry.camera.model import Camera
from pipeline.learning.engine.checkpoints import save_network
from pipeline.learning.images import crop_cache, predict
from pipeline.learning.images.networks import Architecture, PoseNetwork
from pipeline.learning.images.samples import Samples, training_samples
from pipeline.learning.supervision import target_reader
from pipeline.learning.train import train_network
from pipeline.params.train import AugmentParams, LiftingLossParams, LiftingParams, TrainParams
from pipeline.skeleton import BONES
from pipeline.stores import LABELS, POSES2D, RIGS, TRUTH, create_store, open_store, reopen
from pipeline.video.packing import PackedFrames
from tests.records import (
    POSES2D_SUMMARY,
    RIGS_SUMMARY,
    TRUTH_SUMMARY,
    label_record,
    labels_summary,
    poses2d_record,
    rig_record,
    truth_record,
)

SIZE_PX = 96
FRAMES = 6
STANDING_MM = np.array([
    (0, 0, 0), (-130, 0, 0), (-130, 450, 0), (-130, 880, 0), (130, 0, 0), (130, 450, 0), (130, 880, 0),
    (0, -250, 0), (0, -500, 0), (0, -570, 0), (0, -750, 0),
    (180, -480, 0), (300, -250, 0), (350, 0, 0), (-180, -480, 0), (-300, -250, 0), (-350, 0, 0),
], float)  # fmt: skip
COLOURS = np.random.default_rng(0).integers(60, 256, (len(BONES), 3))


class ArrayFrames(PackedFrames):
    """Stands in for packed frames: the frames of a view in an .npy file."""

    opened: list[str] = []  # noqa: RUF012

    def __init__(self, path: Path) -> None:
        ArrayFrames.opened.append(str(path))
        self._images = np.load(path)

    def __getitem__(self, i: int) -> np.ndarray:
        return self._images[i]

    def __len__(self) -> int:
        return len(self._images)


def draw_person(joints_px: np.ndarray, size_px: int = SIZE_PX) -> np.ndarray:
    """A stick figure of coloured bones, (size_px, size_px, 3)."""
    image = np.full((size_px, size_px, 3), 30, np.uint8)
    for (a, b), colour in zip(BONES, COLOURS, strict=True):
        ends = (tuple(round(v) for v in joints_px[j]) for j in (a, b))
        cv2.line(image, *ends, [int(c) for c in colour], 3)
    return image


def random_poses(rng: np.random.Generator, n: int) -> np.ndarray:
    """Poses (n, 17, 3) around the root, mm: standing, turned about the vertical, limbs moved."""
    poses = STANDING_MM + rng.normal(0, 60, (n, 17, 3))
    angle = rng.uniform(0, 2 * np.pi, n)
    c, s, zero, one = np.cos(angle), np.sin(angle), np.zeros(n), np.ones(n)
    turn = np.stack([np.stack(row, -1) for row in ((c, zero, s), (zero, one, zero), (-s, zero, c))], 1)
    return poses @ turn.transpose(0, 2, 1)


@dataclass
class World:
    """A capture ready for training."""

    paths: CapturePaths

    @property
    def frames(self) -> Path:
        return self.paths.frames

    @property
    def poses2d(self) -> Path:
        return self.paths.poses2d

    @property
    def rigs(self) -> Path:
        return self.paths.rigs

    @property
    def labels(self) -> Path:
        return self.paths.labels

    @property
    def detector(self) -> Path:
        return self.paths.detector

    @property
    def model(self) -> Path:
        return self.paths.network

    @property
    def predictions(self) -> Path:
        return self.paths.predictions

    @property
    def curve(self) -> Path:
        return self.paths.curve("train")

    def train(self, params: TrainParams) -> None:
        train_network(self.paths, self.detector, params)

    def samples(self, params: TrainParams) -> Samples:
        capture, poses2d = read_capture(self.frames), open_store(self.poses2d, POSES2D)
        needs_scale = params.crop == "metric"
        return training_samples(capture, poses2d, target_reader(params, self.paths), needs_scale=needs_scale)

    def doubt_labels(self, *, joint: int, uncertainty_mm: float) -> None:
        """Let all labels of a joint be so uncertain."""
        labels = reopen(self.labels, LABELS)
        for name in labels:
            group = labels[name].person(0)
            uncertainty = group["uncertainty_mm"]
            uncertainty[:, joint] = uncertainty_mm
            group.write(0, {"uncertainty_mm": uncertainty})


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    torch.set_num_threads(1)
    for module in (crop_cache, predict):
        monkeypatch.setattr(module, "PackedFrames", ArrayFrames)
    ArrayFrames.opened.clear()


def lifting_params(**changes: Any) -> LiftingParams:
    """A small lifting network that learns from labels, but for the changes."""
    losses = LiftingLossParams(labels=1.0, reprojection=0.0, transform=0.0, consistency=0.0)
    values = dict(
        backbone="martinez2017", frames=1, width=64, dropout=0.1, losses=losses, squared=False, confidence="target",
        root="least_squares", root_relative=False, pretrain_epochs=0, virtual_views=0, freeze_after=1.0,
    )  # fmt: skip
    return LiftingParams(**{**values, **changes})


@pytest.fixture
def params() -> TrainParams:
    return TrainParams(
        model="volumetric", lifting=lifting_params(), supervision="self",
        subjects=["S0"], validation_subjects=[], weighting="none",
        init="weights", weights="models/detector.pt", backbone_lr=1.0, backbone="slim", width=8,
        input_px=64, depth_bins=16, crop="box",
        augment=AugmentParams(
            rotation_deg=15.0, scale=1.15, occlusion_prob=0.15, occluders="drawn", occluder_folder="",
        ),
        epochs=2, batch_size=4, lr=1e-3, warm_up=0.05, schedule="cosine", weight_decay=0.01, clip_grad_norm=5.0,
        ema=0.0, keep="last", patience=0, flip_test=True, seed=0,
    )  # fmt: skip


@pytest.fixture
def world(tmp_path) -> World:
    """Two training recordings and a test one, of two views and a third kept for evaluation; exact labels."""
    rng = np.random.default_rng(1)
    world = World(CapturePaths(*(tmp_path / name for name in ("data", "models", "reports"))))
    world.frames.mkdir(parents=True)
    camera = Camera(np.array([[90, 0, 47.5], [0, 90, 47.5], [0, 0, 1.0]]), np.zeros(0), (SIZE_PX, SIZE_PX))
    recordings = [
        _recording(world.frames, f"S{i}", split, camera, rng) for i, split in enumerate(["train", "train", "test"])
    ]
    Capture(source="sticks", recordings=[r for r, _ in recordings]).write(world.frames)
    _write_stores(world, recordings)
    torch.manual_seed(0)
    network = PoseNetwork(Architecture("slim", 8, 1))
    save_network(world.detector, network, input_px=64, margin=1.25, trained_on="nothing")
    return world


def _recording(folder: Path, name: str, split: str, camera: Camera, rng) -> tuple[Recording, np.ndarray]:
    """A recording and its true joints in the world (FRAMES, 17, 3); its images are written."""
    joints = random_poses(rng, FRAMES) + np.array([0, 0, 3000.0])
    views = []
    for i, turn in enumerate((0.0, 1.5, -1.5)):
        c, s = np.cos(turn), np.sin(turn)
        R = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
        posed = camera.with_extrinsics(R, np.array([0, 0, 3000.0]) - R @ [0, 0, 3000.0])
        file = f"{name}_{i}.npy"
        np.save(folder / file, np.stack([draw_person(posed.project(pose)) for pose in joints]))
        views.append(View.of(f"c{i}", file, posed, evaluation_only=i == 2))
    recording = Recording(
        name=name, subject=name, action="stand", split=split, rig="r", fps=25.0, n_frames=FRAMES, views=views
    )
    return recording, joints


def _write_stores(world: World, recordings: list[tuple[Recording, np.ndarray]]) -> None:
    with (
        create_store(world.poses2d, POSES2D, POSES2D_SUMMARY) as poses2d,
        create_store(world.rigs, RIGS, RIGS_SUMMARY) as rigs,
        create_store(world.labels, LABELS, labels_summary(method="exact")) as labels,
        create_store(world.frames / "truth.zarr", TRUTH, TRUTH_SUMMARY) as truth,
    ):
        for recording, joints in recordings:
            cameras = [view.camera for view in recording.views]
            pixels = np.stack([camera.project(joints) for camera in cameras], 1)
            sizes = {"frame": len(joints), "view": len(cameras)}
            box = np.concatenate([pixels.min(2), pixels.max(2)], -1)
            confidence = np.ones(pixels.shape[:3])
            poses2d.create(recording.name, sizes, poses2d_record(recording.subject)).person(0).write(
                0, {"joints_px": pixels, "confidence": confidence, "box_px": box}
            )
            joints_cam = np.stack([camera.to_camera(joints) for camera in cameras], 1)
            uncertainty = np.full(joints.shape[:2], 10.0)
            labels.create(recording.name, sizes, label_record(recording.subject, cameras)).person(0).write(
                0, {"joints_world_mm": joints, "joints_cam_mm": joints_cam, "uncertainty_mm": uncertainty}
            )
            posed = {
                "R_cam_from_world": np.stack([camera.R_cam_from_world for camera in cameras])[None],
                "t_cam_from_world_mm": np.stack([camera.t_cam_from_world_mm for camera in cameras])[None],
            }
            rigs.create(recording.name, {"rig": 1, "view": len(cameras)}, rig_record(cameras)).write(0, posed)
            truth.create(recording.name, sizes, truth_record(recording.subject)).person(0).write(
                0, {"joints_world_mm": joints}
            )
