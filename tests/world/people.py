"""People whose joints are known exactly: walkers among the cameras, a person who turns, and stick figures."""

import numpy as np
from scipy.spatial.transform import Rotation

from pipeline.skeleton import BONES, JOINTS, N_JOINTS, joint

# (length in mm, mean direction) of each joint from its parent; x to the person's left, z up.
REST = {
    "hip": (130, (1, 0, 0)), "knee": (408, (0, 0, -1)), "ankle": (428, (0, 0, -1)), "spine": (258, (0, 0, 1)),
    "thorax": (258, (0, 0, 1)), "neck": (120, (0, 0.2, 1)), "head": (110, (0, 0, 1)), "shoulder": (150, (1, 0, -0.1)),
    "elbow": (299, (0.2, 0.1, -1)), "wrist": (259, (0, 0.5, -1)),
}  # fmt: skip
N_FRAMES = 24  # of a person who turns
MOVING = ("l_elbow", "l_wrist", "r_elbow", "r_wrist", "l_knee", "l_ankle")  # the joints that `turning` moves
# A standing stick figure around its root in mm: x right, y down, as a camera sees it.
STICK_FIGURE_MM = np.array([
    (0, 0, 0), (-130, 0, 0), (-130, 450, 0), (-130, 880, 0), (130, 0, 0), (130, 450, 0), (130, 880, 0),
    (0, -250, 0), (0, -500, 0), (0, -570, 0), (0, -750, 0),
    (180, -480, 0), (300, -250, 0), (350, 0, 0), (-180, -480, 0), (-300, -250, 0), (-350, 0, 0),
], float)  # fmt: skip


def rest_bone(child: int) -> tuple[float, np.ndarray]:
    """Length in mm of the bone that ends in a joint, and its unit direction (3,) in a person at rest."""
    side, _, name = JOINTS[child].rpartition("_")
    length, direction = REST[name]
    mirrored = np.array(direction) * ([-1, 1, 1] if side == "r" else [1, 1, 1])
    return length, mirrored / np.linalg.norm(mirrored)


def people(n_frames: int, seed: int = 0, swing: float = 0.5, area_mm: float = 1000.0) -> np.ndarray:
    """Joints (F, J, 3) in mm, z up: bones of fixed length in random directions, the pelvis anywhere in the area."""
    rng = np.random.default_rng(seed)
    joints = np.zeros((n_frames, N_JOINTS, 3))
    joints[:, 0] = np.array([0, 0, 900]) + rng.uniform(-area_mm, area_mm, (n_frames, 3)) * [1, 1, 0.1]
    heading = Rotation.from_rotvec(np.outer(rng.uniform(-np.pi, np.pi, n_frames), [0, 0, 1])).as_matrix()
    for parent, child in BONES:
        length, rest = rest_bone(child)
        is_moved = not JOINTS[child].endswith(("hip", "spine"))
        direction = rest + rng.normal(size=(n_frames, 3)) * swing * is_moved
        direction = (heading @ direction[..., None])[..., 0]
        joints[:, child] = joints[:, parent] + length * direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    return joints


def standing() -> np.ndarray:
    """Joints (J, 3) in mm of a person at rest, the pelvis 900 mm up."""
    return posed(np.broadcast_to(np.eye(3), (1, N_JOINTS, 3, 3)))[0]


def posed(rotations: np.ndarray) -> np.ndarray:
    """Joints (F, J, 3) in mm, the pelvis 900 mm up: a person at rest, each bone turned by `rotations` (F, J, 3, 3)."""
    joints = np.zeros((len(rotations), N_JOINTS, 3))
    joints[:, 0] = [0, 0, 900]
    for parent, child in BONES:
        length, direction = rest_bone(child)
        joints[:, child] = joints[:, parent] + rotations[:, child] @ (length * direction)
    return joints


def turning(seed: int, n_frames: int = N_FRAMES) -> np.ndarray:
    """Joints (F, J, 3) in mm of a person who turns once about the vertical and moves the limbs."""
    rng = np.random.default_rng(seed)
    bends = np.broadcast_to(np.eye(3), (n_frames, N_JOINTS, 3, 3)).copy()
    for name in MOVING:
        bends[:, joint(name)] = Rotation.from_rotvec(rng.normal(scale=0.5, size=(n_frames, 3))).as_matrix()
    headings = Rotation.from_rotvec(np.linspace(0, 2 * np.pi, n_frames)[:, None] * [0, 0, 1]).as_matrix()
    position = rng.normal(scale=[200, 200, 0], size=(1, 1, 3))
    return np.einsum("fij,fkj->fki", headings, posed(bends)) + position


def moving(times_s: np.ndarray, seed: int, speed: float = 1.0) -> np.ndarray:
    """Joints (F, J, 3) of a person who walks about and swings all limbs smoothly."""
    rng = np.random.default_rng(seed)
    phase, rate = rng.uniform(0, 2 * np.pi, (N_JOINTS, 3)), speed * rng.uniform(2.0, 5.0, (N_JOINTS, 3))
    bends = 0.5 * np.sin(rate * times_s[:, None, None] + phase)
    rotations = Rotation.from_rotvec(bends.reshape(-1, 3)).as_matrix()
    joints = posed(rotations.reshape(len(times_s), N_JOINTS, 3, 3))
    heading = Rotation.from_rotvec(np.outer(0.6 * speed * times_s, [0, 0, 1])).as_matrix()
    path = 600 * np.stack([np.sin(0.9 * speed * times_s), np.cos(0.7 * speed * times_s), 0 * times_s], -1)
    return np.einsum("fij,fnj->fni", heading, joints) + path[:, None]


def stick_figures(rng: np.random.Generator, n: int) -> np.ndarray:
    """Poses (n, 17, 3) around the root in mm, y down: standing, turned about the vertical, all joints moved."""
    poses = STICK_FIGURE_MM + rng.normal(0, 60, (n, N_JOINTS, 3))
    angle = rng.uniform(0, 2 * np.pi, n)
    c, s, zero, one = np.cos(angle), np.sin(angle), np.zeros(n), np.ones(n)
    turn = np.stack([np.stack(row, -1) for row in ((c, zero, s), (zero, one, zero), (-s, zero, c))], 1)
    return poses @ turn.transpose(0, 2, 1)
