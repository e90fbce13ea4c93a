"""Simulated takes with known truth: a room with one or several people, and close webcams before a seated person."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bench.trust.takes.detector import LANDMARKS, Detected, Noise, box_of, detect
from bench.trust.takes.recipes import guessed_outside
from bench.trust.takes.take import Take, Truth
from pipeline.capture import Recording, View
from pipeline.geometry.camera.model import Camera
from pipeline.skeleton import N_JOINTS, joint
from pipeline.synthetic.cameras import look_at
from pipeline.synthetic.people.motion import animate
from pipeline.synthetic.people.person import draw_person

FPS = 25.0
ROOM_SIZE_PX, WEBCAM_SIZE_PX = (1920, 1080), (1280, 720)
LENS = np.array([-0.12, 0.04, 0.0004, -0.0003, 0.0])
# Sitting: places of the joints of the left leg from the pelvis in mm, to the left, forward and up.
SITTING = {"hip": (110, 0, 0), "knee": (150, 430, 10), "ankle": (150, 470, -420)}
SEAT_MM = 520.0


def walker(seed: int, seconds: float, action: str = "walk") -> np.ndarray:
    """Joints (F, J, 3) of a person who moves about the middle of a room."""
    rng = np.random.default_rng([seed, 11])
    return animate(draw_person(rng), action, seconds, FPS, rng).bodies.joints_mm


def sitter(seed: int, seconds: float) -> np.ndarray:
    """Joints (F, J, 3) of a person who sits, faces along y and moves the arms and the trunk."""
    joints = walker(seed, seconds, "reach")
    left = joints[:, joint("l_hip")] - joints[:, joint("r_hip")]
    left[:, 2] = 0
    left /= np.linalg.norm(left, axis=-1, keepdims=True)
    axes = np.stack([left, np.cross(left, [0.0, 0, 1]), np.broadcast_to([0.0, 0, 1], left.shape)], 1)
    own = np.einsum("fij,fnj->fni", axes, joints - joints[:, :1])
    for side, sign in (("l", 1.0), ("r", -1.0)):
        for name, place in SITTING.items():
            own[:, joint(f"{side}_{name}")] = np.array(place) * [sign, 1, 1]
    return np.stack([-own[..., 0], own[..., 1], own[..., 2] + SEAT_MM], -1)


def room_cameras(seed: int, n_views: int = 4) -> list[Camera]:
    """Cameras around a room, of slightly different focal lengths, with lens distortion."""
    rng = np.random.default_rng([seed, 12])
    cameras = []
    for angle in np.linspace(0, 2 * np.pi, n_views, endpoint=False) + rng.uniform(-0.25, 0.25, n_views):
        radius, height = rng.uniform(4000, 5200), rng.uniform(1200, 2100)
        center = np.array([radius * np.cos(angle), radius * np.sin(angle), height])
        R, t = look_at(center, np.array([0, 0, 950.0]) + rng.normal(0, 60, 3), rng.normal(0, 0.01))
        cameras.append(Camera(_intrinsics(rng.uniform(1050, 1250), ROOM_SIZE_PX, rng), LENS, ROOM_SIZE_PX, R, t))
    return cameras


def webcams(seed: int, n_views: int = 4) -> list[Camera]:
    """Webcams of different focal lengths within a metre or two of a seated person, in front of the person."""
    rng = np.random.default_rng([seed, 13])
    cameras = []
    for angle in np.linspace(-1.0, 1.0, n_views) + rng.uniform(-0.15, 0.15, n_views):
        radius = rng.uniform(900, 1500)
        center = np.array([radius * np.sin(angle), radius * np.cos(angle), rng.uniform(900, 1400)])
        R, t = look_at(center, np.array([0, 100.0, 950]) + rng.normal(0, 60, 3), rng.normal(0, 0.02))
        cameras.append(Camera(_intrinsics(rng.uniform(640, 900), WEBCAM_SIZE_PX, rng), LENS, WEBCAM_SIZE_PX, R, t))
    return cameras


def _intrinsics(focal: float, size_px: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    x, y = (np.array(size_px) - 1) / 2 + rng.normal(0, 8, 2)
    return np.array([[focal, 0, x], [0, focal, y], [0, 0, 1]])


def take_of(
    joints_mm: np.ndarray, cameras: Sequence[Camera], seed: int, noise: Noise | None = None, name: str = "S1_walk"
) -> Take:
    """A take of a person with these joints (F, J, 3); the manifest has the true cameras."""
    detected = detect(joints_mm, cameras, noise or Noise(), np.random.default_rng([seed, 14]), FPS)
    views = [View.of(f"cam{v + 1}", "none", camera) for v, camera in enumerate(cameras)]
    recording = Recording(
        name=name, subject="S1", action="walk", split="train", rig="A", fps=FPS, n_frames=len(joints_mm), views=views
    )
    return Take(recording, arrays_of(detected), Truth(joints_mm, list(cameras)))


def arrays_of(detected: Detected) -> dict[str, np.ndarray]:
    """The arrays of POSES2D."""
    px, confidence = detected.px, detected.confidence
    return {
        "joints_px": px[:, :, :N_JOINTS], "confidence": confidence[:, :, :N_JOINTS], "box_px": box_of(px),
        "landmarks_px": px[:, :, LANDMARKS], "landmark_confidence": confidence[:, :, LANDMARKS],
    }  # fmt: skip


def room(seed: int = 0, seconds: float = 5.0, n_views: int = 4) -> Take:
    """One person who walks and gestures in a room."""
    return take_of(walker(seed, seconds), room_cameras(seed, n_views), seed)


def desk(seed: int = 0, seconds: float = 5.0, noise: Noise | None = None) -> Take:
    """One seated person before webcams; what lies outside the images is detected too, as detectors do, but wrongly."""
    take = take_of(sitter(seed, seconds), webcams(seed), seed, noise, name="S1_sit")
    return guessed_outside(take, seed).take


def with_other_person(take: Take, joints_mm: np.ndarray, where: np.ndarray, seed: int) -> Take:
    """Another person (F, J, 3) is detected instead of the first one where `where` (F, V) is true."""
    assert take.truth is not None
    other = arrays_of(detect(joints_mm, take.truth.cameras, Noise(), np.random.default_rng([seed, 16]), FPS))
    return replace(take, arrays={
        name: np.where(where.reshape(where.shape + (1,) * (values.ndim - 2)), other[name], values)
        for name, values in take.arrays.items()
    })  # fmt: skip
