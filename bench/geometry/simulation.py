"""Captures with a known truth: real or synthetic motion before rigs like Human3.6M's, with noise and outliers."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from pipeline.geometry.camera.model import Camera
from pipeline.skeleton import N_JOINTS
from pipeline.synthetic.cameras import look_at
from pipeline.synthetic.people.motion import animate
from pipeline.synthetic.people.person import draw_person

# Human3.6M's cameras: focal length and image size in pixels. The cameras stand at the corners of a long rectangle (x
# and y in mm from its centre), five metres from the centre.
FOCAL_PX, SIZE_PX = 1145.0, (1000, 1000)
STANDS_MM = np.array([[2100.0, 4540.0], [2100.0, -4540.0], [-2100.0, 4540.0], [-2100.0, -4540.0]])
HEIGHT_MM, AIM_MM = 1550.0, np.array([0.0, 0.0, 900.0])
# The largest distance of a person from the centre of the rig.
AREA_MM = 1000.0
# Range of an outlier's distance from the truth in px; its direction is random, and its confidence is lower.
OUTLIER_PX = (50.0, 235.0)
CONFIDENCE, OUTLIER_CONFIDENCE = (0.6, 1.0), (0.25, 0.7)
# Lower bound of the noise that is passed to estimators, which cannot handle 0 for exact detections.
MIN_NOISE_PX = 1.0

Motion = list[np.ndarray]  # of one person: sequences (T, J, 3) in mm, z up


@dataclass(frozen=True)
class Capture:
    """Detections of one person by a rig of pinhole cameras, and the truth."""

    cameras: list[Camera]
    joints_world_mm: np.ndarray  # (F, J, 3)
    px: np.ndarray  # (F, V, J, 2)
    confidence: np.ndarray  # (F, V, J)
    outlier: np.ndarray  # (F, V, J)
    noise_px: float  # the standard deviation that estimators are given; never 0

    @property
    def K(self) -> np.ndarray:
        """(V, 3, 3)."""
        return np.stack([camera.K for camera in self.cameras])

    @property
    def R(self) -> np.ndarray:
        """(V, 3, 3) camera from world."""
        return np.stack([camera.R_cam_from_world for camera in self.cameras])

    @property
    def t(self) -> np.ndarray:
        """(V, 3) camera from world, in mm."""
        return np.stack([camera.t_cam_from_world_mm for camera in self.cameras])

    @property
    def centers(self) -> np.ndarray:
        """(V, 3) in the world, in mm."""
        return np.stack([camera.center_world_mm for camera in self.cameras])

    @cached_property
    def points_norm(self) -> np.ndarray:
        """(F, J, V, 2) normalised image coordinates; the memory layout is that of a capture: frame, view, joint."""
        focal = np.stack([self.K[:, 0, 0], self.K[:, 1, 1]], -1)
        return np.swapaxes((self.px - self.K[:, None, :2, 2]) / focal[:, None], 1, 2)

    @cached_property
    def sigma(self) -> np.ndarray:
        """Standard deviation expected of the normalised image points (F, J, V), from the confidence."""
        return np.swapaxes(self.noise_px / self.K[:, 0, 0][:, None] / np.sqrt(self.confidence), 1, 2)

    def first(self, frames: int) -> "Capture":
        """The same capture cut to its first frames."""
        few = slice(0, frames)
        return replace(
            self, joints_world_mm=self.joints_world_mm[few], px=self.px[few], confidence=self.confidence[few],
            outlier=self.outlier[few],
        )  # fmt: skip


def read_motion(path: Path) -> list[Motion]:
    """The people of a file of 3D motion, each with its sequences.

    An .npz with arrays `seq_000`, `seq_001`, ... (T, 17, 3) of the joints of pipeline/skeleton.py, in metres with z
    up; the optional `subjects` names the person of each sequence, whose bone lengths are constant. Without it, each
    sequence is of another person.
    """
    with np.load(path) as file:
        names = sorted(name for name in file.files if name.startswith("seq_"))
        sequences = [1000.0 * file[name].astype(float) for name in names]
        subjects = file["subjects"].tolist() if "subjects" in file.files else list(range(len(names)))
    if not sequences or any(s.ndim != 3 or s.shape[1:] != (N_JOINTS, 3) for s in sequences):
        raise SystemExit(f"{path}: no arrays seq_000, ... of shape (frames, {N_JOINTS}, 3) in it.")
    people: dict[int, Motion] = {}
    for subject, sequence in zip(subjects, sequences, strict=True):
        people.setdefault(subject, []).append(sequence)
    return list(people.values())


def synthetic_motion(people: int, seconds: float, seed: int = 0) -> list[Motion]:
    """Synthetic people who walk, gesture and bend, at 25 frames per second."""
    actions = ("walk", "reach", "bend")
    found = []
    for person in range(people):
        rng = np.random.default_rng([seed, person])
        someone = draw_person(rng)
        found.append([animate(someone, action, seconds, 25.0, rng).bodies.joints_mm for action in actions])
    return found


def draw_rig(rng: np.random.Generator) -> list[Camera]:
    """Four pinhole cameras placed like Human3.6M's, with random offsets of some centimetres and degrees."""
    cameras = []
    for x, y in STANDS_MM + rng.normal(0, 150, STANDS_MM.shape):
        center = np.array([x, y, HEIGHT_MM + rng.normal(0, 60)])
        R, t = look_at(center, AIM_MM + rng.normal(0, 60, 3), rng.normal(0, 0.01))
        middle = np.array(SIZE_PX) / 2 + rng.normal(0, 8, 2)
        K = np.array([[FOCAL_PX, 0, middle[0]], [0, FOCAL_PX, middle[1]], [0, 0, 1]])
        cameras.append(Camera(K, np.zeros(0), SIZE_PX, R, t))
    return cameras


def film(
    motion: Motion,
    frames: int,
    rng: np.random.Generator,
    *,
    noise_px: float,
    outliers: float,
    consecutive: bool = False,
) -> Capture:
    """Simulate `frames` frames of a person before a new rig, drawn from all sequences or consecutive in one sequence.

    Each coordinate of a detection has Gaussian noise of `noise_px`; a share `outliers` of the detections is instead
    displaced by OUTLIER_PX.
    """
    joints = _consecutive(motion, frames, rng) if consecutive else _spread(motion, frames, rng)
    cameras = draw_rig(rng)
    true_px = np.stack([camera.project(joints) for camera in cameras], 1)
    shape = true_px.shape[:-1]
    outlier = rng.random(shape) < outliers
    angle, length = rng.uniform(0, 2 * np.pi, shape), rng.uniform(*OUTLIER_PX, shape)
    far = length[..., None] * np.stack([np.cos(angle), np.sin(angle)], -1)
    px = true_px + np.where(outlier[..., None], far, noise_px * rng.normal(size=true_px.shape))
    confidence = np.where(outlier, rng.uniform(*OUTLIER_CONFIDENCE, shape), rng.uniform(*CONFIDENCE, shape))
    return Capture(cameras, joints, px, confidence, outlier, max(noise_px, MIN_NOISE_PX))


def _spread(motion: Motion, frames: int, rng: np.random.Generator) -> np.ndarray:
    sequences = np.concatenate([_placed(sequence, rng) for sequence in motion])
    return sequences[rng.choice(len(sequences), frames, replace=frames > len(sequences))]


def _consecutive(motion: Motion, frames: int, rng: np.random.Generator) -> np.ndarray:
    long_enough = [sequence for sequence in motion if len(sequence) >= frames]
    sequence = _placed(long_enough[rng.integers(len(long_enough))], rng)
    start = rng.integers(len(sequence) - frames + 1)
    return sequence[start : start + frames]


def _placed(sequence: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A sequence (T, J, 3) rotated about the vertical and moved; a path that leaves the area is scaled down."""
    path = sequence[:, 0, :2]
    middle = (path.min(0) + path.max(0)) / 2
    radius = np.linalg.norm(path - middle, axis=-1).max()
    share = np.sqrt(rng.random())
    angle, heading = rng.uniform(0, 2 * np.pi, 2)
    shift = min(1.0, AREA_MM / radius) * (path - middle) - path
    placed = sequence.copy()
    placed[..., :2] += shift[:, None]
    c, s = np.cos(heading), np.sin(heading)
    placed[..., :2] = placed[..., :2] @ np.array([[c, s], [-s, c]])
    away = max(AREA_MM - radius, 0.0) * share
    return placed + away * np.array([np.cos(angle), np.sin(angle), 0.0])


@dataclass(frozen=True)
class Scenes:
    """People to simulate; captures of the same index and size show the same frames at any noise."""

    people: list[Motion]
    seed: int

    def with_sequences_of(self, frames: int) -> "Scenes":
        """The scenes with only those people who have a sequence of at least this many frames."""
        return replace(self, people=[person for person in self.people if max(map(len, person)) >= frames])

    def film(
        self, n: int, frames: int, *, noise_px: float, outliers: float, consecutive: bool = False
    ) -> list[Capture]:
        """n captures, each of one person by its own rig; the other arguments are those of the function `film`."""
        captures = []
        for i in range(n):
            rng = np.random.default_rng([self.seed, i])
            motion = self.people[rng.integers(len(self.people))]
            captures.append(film(motion, frames, rng, noise_px=noise_px, outliers=outliers, consecutive=consecutive))
        return captures
