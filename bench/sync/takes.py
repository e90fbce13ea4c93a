"""Takes whose views are out of step: simulated detections of real or animated motion, with the offsets known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline

from bench.learning.motion import read_motion, read_rig
from bench.trust.takes.detector import Detected, Noise, detect, points_of
from bench.trust.takes.scenes import arrays_of, room_cameras
from bench.trust.takes.take import Take, Truth
from pipeline.capture import Recording, View
from pipeline.geometry.camera.model import Camera
from pipeline.synthetic.people.motion import animate
from pipeline.synthetic.people.person import draw_person

FPS, SECONDS = 30.0, 10.0
MAX_OFFSET_S = 2.0
OUTLIERS = 0.05
# Motion of CMU is of use where the person moves: limb joints by so much in the median frame, in mm.
LEAST_MOTION_MM = 4.0


@dataclass(frozen=True)
class Scene:
    """A person in motion for longer than a take, at 30 Hz, before some cameras."""

    name: str
    joints_mm: np.ndarray  # (F, J, 3)
    cameras: list[Camera]


def animated_scenes(n: int, n_views: int = 4) -> Iterator[Scene]:
    """Animated people in a room."""
    for seed in range(n):
        rng = np.random.default_rng([seed, 21])
        seconds = SECONDS + 2 * MAX_OFFSET_S + 1
        joints = animate(draw_person(rng), "walk", seconds, FPS, rng).bodies.joints_mm
        yield Scene(f"animated {seed}", joints, room_cameras(seed, n_views))


def cmu_scenes(data: Path, n: int) -> Iterator[Scene]:
    """Motion of CMU before the cameras of Human3.6M; short sequences are left out."""
    long = [m for _, m in read_motion(data) if len(m) >= FPS * (SECONDS + 2 * MAX_OFFSET_S)]
    moving = [m for m in long if np.median(np.linalg.norm(np.diff(m, axis=0), axis=-1)) > LEAST_MOTION_MM]
    for i, joints in enumerate(moving[:n]):
        yield Scene(f"CMU {i}", joints, read_rig(data, f"S{(1, 5, 6, 7, 8, 9, 11)[i % 7]}"))


def take_out_of_step(
    scene: Scene, offsets: Sequence[float], seed: int, *, fps: float = FPS, seconds: float = SECONDS,
    drift: Sequence[float] | None = None, noise: Noise | None = None,
) -> Take:  # fmt: skip
    """A take whose view v shows everything offsets[v] frames late; its truth is that of offset 0."""
    noise = noise or replace(Noise(), outliers=OUTLIERS)
    n, lead = round(seconds * fps), int(np.ceil(MAX_OFFSET_S * FPS))
    long, moments = scene.joints_mm, np.arange(n) * FPS / fps + lead
    rng = np.random.default_rng([seed, 22])
    errors = detect(long, scene.cameras, noise, rng, FPS)
    errors_px = errors.px - np.stack([camera.project(points_of(long)) for camera in scene.cameras], 1)
    motion = CubicSpline(np.arange(len(long)), long)
    px, confidence = [], []
    for v, camera in enumerate(scene.cameras):
        own = moments - (offsets[v] + (drift[v] if drift is not None else 0.0) * np.arange(n)) * FPS / fps
        nearest = np.clip(own.round().astype(int), 0, len(long) - 1)
        px.append(camera.project(points_of(motion(own))) + errors_px[nearest, v])
        confidence.append(errors.confidence[nearest, v])
    views = [View.of(f"cam{v + 1}", "none", camera) for v, camera in enumerate(scene.cameras)]
    recording = Recording(
        name="S1_move", subject="S1", action="move", split="train", rig="A", fps=fps, n_frames=n, views=views
    )
    found = Detected(np.stack(px, 1), np.stack(confidence, 1))
    return Take(recording, arrays_of(found), Truth(motion(moments), list(scene.cameras)))
