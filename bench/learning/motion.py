"""Real human motion projected into a real rig, with a simulated detector's errors; the truth is exact.

CMU motion capture (folder `cmu`), four real cameras of one rig (`camera_rigs.npz`) and detector noise as measured
on real multi-view footage: as a share of the person's height its median is 1.5-1.9 %, its 90th percentile 3.9-5.0 %,
1-2.4 % of the joints lie beyond 10 %; where the confidence is below 0.3 the median is 4.1 %, above 0.85 1.3 %; the
correlation after 1, 12 and 25 frames is 0.79, 0.42 and 0.26.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from pipeline.geometry.body.scale import bone_scale
from pipeline.geometry.calibration.rig import find_rig
from pipeline.geometry.camera.model import Camera, undistort
from pipeline.geometry.triangulation.bone_lengths import fit_bone_lengths, own_lengths
from pipeline.geometry.triangulation.labelling import Labelled, label
from pipeline.learning.lifting.multi_view_frames import MultiViewFrames, concatenate, multi_view_frames
from pipeline.learning.supervision import label_weights
from pipeline.skeleton import ROOT

TEST_SUBJECTS = (2, 7, 9, 16, 17, 131)
UP = np.array([0.0, 0, 1])
# Slow and fast part of the noise: share of the variance and correlation from frame to frame.
NOISE_PARTS = ((0.65, 0.964), (0.35, 0.46))
NOISE_SHARE, NOISE_SPREAD = 0.0138, 0.68  # median standard deviation, of the person's height; spread of its logarithm
CALIBRATION_FRAMES = 3000
NEW_CAMERAS = 8
BONE_TOLERANCE, MAX_REPROJECTION = 0.02, 0.1


@dataclass(frozen=True)
class Sequence:
    """One sequence: the truth and the simulated detections."""

    subject: int
    joints_mm: np.ndarray  # (F, 17, 3)
    points_norm: np.ndarray  # (F, V, 17, 2)
    confidence: np.ndarray  # (F, V, 17)
    height: np.ndarray  # (F, V) of the person, in normalised image coordinates


def read_motion(data: Path) -> list[tuple[int, np.ndarray]]:
    """Subject and true joints (F, 17, 3) in mm of every sequence, moved to the middle of the floor."""
    archive = np.load(data / "cmu/motion.npz")
    found = []
    for i, subject in enumerate(archive["subjects"]):
        joints = 1000.0 * archive[f"seq_{i:03d}"].astype(float)
        joints[..., :2] -= np.median(joints[:, ROOT, :2], 0)
        found.append((int(subject), joints))
    return found


def read_rig(data: Path, subject: str = "S1") -> list[Camera]:
    """The four cameras of one subject of Human3.6M."""
    archive = np.load(data / "camera_rigs.npz")
    rows = [i for i, name in enumerate(archive["h36m_names"]) if name.startswith(f"{subject}_")]
    K, R, t, dist, wh = (archive[f"h36m_{key}"][rows] for key in ("K", "R", "t", "dist", "wh"))
    return [Camera(K[i], dist[i], (int(wh[i, 0]), int(wh[i, 1])), R[i], 1000 * t[i]) for i in range(len(rows))]


def random_rig(cameras: list[Camera], n: int, rng: np.random.Generator) -> list[Camera]:
    """Cameras with the first one's lens at random places around the middle of the floor."""
    away = np.mean([np.linalg.norm(c.center_world_mm[:2]) for c in cameras])
    return [_looking(cameras[0], away * rng.uniform(0.8, 1.2), rng) for _ in range(n)]


def _looking(camera: Camera, away_mm: float, rng: np.random.Generator) -> Camera:
    azimuth, height_mm = rng.uniform(0, 2 * np.pi), rng.uniform(500, 3500)
    center = np.array([away_mm * np.cos(azimuth), away_mm * np.sin(azimuth), height_mm])
    z = np.array([0, 0, 900.0]) - center
    z /= np.linalg.norm(z)
    x = np.cross(z, UP)
    x /= np.linalg.norm(x)
    R = np.stack([x, np.cross(z, x), z])
    return camera.with_extrinsics(R, -R @ center)


def detect(subject: int, joints_mm: np.ndarray, cameras: list[Camera], rng: np.random.Generator) -> Sequence:
    """Simulated detections of joints (F, 17, 3): pixels with noise, then undistorted."""
    views = [_detect(joints_mm, camera, rng) for camera in cameras]
    points_norm, confidence, height = (np.stack(x, 1) for x in zip(*views, strict=True))
    return Sequence(subject, joints_mm, points_norm, confidence, height)


def _detect(joints_mm: np.ndarray, camera: Camera, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    px = camera.project(joints_mm)
    height_px = np.ptp(px[..., 1], axis=1)
    size = _correlated(px.shape[:2], rng)
    share = NOISE_SHARE * np.exp(NOISE_SPREAD * size)
    px = px + (height_px[:, None] * share)[..., None] * _correlated(px.shape, rng)
    confidence = 1 / (1 + np.exp(1.2 * size - 1.6 + 0.9 * rng.normal(size=size.shape)))
    return undistort(px, camera.K, camera.dist), confidence, height_px / camera.K[1, 1]


def _correlated(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Standard normal noise, correlated along the first axis."""
    total = np.zeros(shape)
    for share, rho in NOISE_PARTS:
        state = rng.normal(size=shape[1:])
        for f in range(shape[0]):
            total[f] += np.sqrt(share) * state
            state = rho * state + np.sqrt(1 - rho**2) * rng.normal(size=shape[1:])
    return total


def true_frames(sequences: list[Sequence], cameras: list[Camera]) -> MultiViewFrames:
    """Detections with the truth as labels and the true cameras."""
    R, t = _poses(cameras)
    return concatenate(
        [multi_view_frames(s.points_norm, s.confidence, s.joints_mm, R[None], t[None], UP) for s in sequences]
    )


def labelled_frames(
    sequences: list[Sequence], cameras: list[Camera], *, calibrated: bool, seed: int
) -> tuple[MultiViewFrames, np.ndarray]:
    """Detections with labels triangulated from them, by the true cameras or by a rig found from the detections.

    Also the labels' standard deviations (M, 17) in mm.
    """
    R, t = _poses(cameras) if calibrated else _self_calibrated(sequences, seed)
    up = UP if calibrated else -np.mean(R[:, 1], 0) / np.linalg.norm(np.mean(R[:, 1], 0))
    made = [_triangulated(s, R, t) for s in sequences]
    parts = [
        multi_view_frames(s.points_norm, s.confidence, own.points, R[None], t[None], up)
        for s, own in zip(sequences, made, strict=True)
    ]
    return concatenate(parts), np.concatenate([own.uncertainty for own in made])


def _poses(cameras: list[Camera]) -> tuple[np.ndarray, np.ndarray]:
    return np.stack([c.R_cam_from_world for c in cameras]), np.stack([c.t_cam_from_world_mm for c in cameras])


def _sigma(s: Sequence) -> np.ndarray:
    return 0.02 * s.height[:, None] / np.sqrt(np.clip(np.swapaxes(s.confidence, 1, 2), 0.05, 1))


def _self_calibrated(sequences: list[Sequence], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The rig found from the sequences' detections only, scaled to mean adult bone lengths."""
    points_norm = np.concatenate([np.swapaxes(s.points_norm, 1, 2) for s in sequences])
    sigma = np.concatenate([_sigma(s) for s in sequences])
    rows = np.linspace(0, len(points_norm) - 1, CALIBRATION_FRAMES).astype(int)
    rig = find_rig(points_norm[rows], sigma[rows], seed=seed)
    factors = {}
    for s in sequences:
        factors.setdefault(s.subject, []).append(bone_scale(_triangulated(s, rig.R, rig.t).points))
    rig = rig.scaled(float(np.median([np.median(own) for own in factors.values()])))
    return rig.R, rig.t


def _triangulated(s: Sequence, R: np.ndarray, t: np.ndarray) -> Labelled:
    """Labels made by the method of the stage triangulate."""
    points_norm, sigma = np.swapaxes(s.points_norm, 1, 2), _sigma(s)
    limit = np.broadcast_to(MAX_REPROJECTION * s.height[:, None], sigma.shape)
    made = label(points_norm, sigma, limit, R[None], t[None], method="robust", min_views=2)
    lengths = own_lengths(made.points)
    if not np.isfinite(lengths).any():
        return made
    tolerance = BONE_TOLERANCE * float(np.nanmean(lengths))
    points, covariance = fit_bone_lengths(made.points, points_norm, sigma, R[None], t[None], lengths, tolerance)
    return replace(made, points=points, covariance=covariance)


@dataclass(frozen=True)
class Motion:
    """Training and test data of the comparison."""

    truth: MultiViewFrames  # the training people, with the truth as labels
    subset: MultiViewFrames  # one of the training people, with the truth as labels
    labels: MultiViewFrames  # with labels from the true cameras
    weighed: MultiViewFrames  # with the same labels, weighted by their uncertainty
    mixed: MultiViewFrames  # with the truth for one of them and labels for the others
    own_rig: MultiViewFrames  # with labels from the self-calibrated rig
    test: MultiViewFrames  # other people, the same cameras
    test_own_rig: MultiViewFrames  # the same people, with the rig found from their detections
    elsewhere: MultiViewFrames  # the same motion in cameras at other places


def simulate(data: Path, *, seed: int = 0, every: int = 1) -> Motion:
    """Simulate the detections of every n-th sequence of the folder's motion."""
    cameras, rng = read_rig(data), np.random.default_rng(seed)
    motion = read_motion(data)[::every]
    trained = [detect(s, joints, cameras, rng) for s, joints in motion if s not in TEST_SUBJECTS]
    tested = [(s, joints) for s, joints in motion if s in TEST_SUBJECTS]
    others = random_rig(cameras, NEW_CAMERAS, rng)
    seen = [detect(s, joints, cameras, rng) for s, joints in tested]
    truth = true_frames(trained, cameras)
    labels, uncertainty_mm = labelled_frames(trained, cameras, calibrated=True, seed=seed)
    known = np.concatenate([np.full(len(s.joints_mm), s.subject == trained[0].subject) for s in trained])
    return Motion(
        truth=truth,
        subset=true_frames([s for s in trained if s.subject == trained[0].subject], cameras),
        labels=labels,
        weighed=labels.with_label_weights(label_weights(uncertainty_mm, "uncertainty")),
        mixed=replace(labels, labels=torch.where(torch.from_numpy(known)[:, None, None], truth.labels, labels.labels)),
        own_rig=labelled_frames(trained, cameras, calibrated=False, seed=seed)[0],
        test=true_frames(seen, cameras),
        test_own_rig=labelled_frames(seen, cameras, calibrated=False, seed=seed)[0],
        elsewhere=true_frames([detect(s, joints, others, rng) for s, joints in tested], others),
    )
