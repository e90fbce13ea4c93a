"""Synthetic people and the cameras around them."""

import numpy as np
from scipy.spatial.transform import Rotation

from pipeline.geometry.camera.model import Camera
from pipeline.skeleton import BONES, N_JOINTS, joint

SIZE_PX = (160, 120)
N_FRAMES = 24
# Offset of each joint from its parent in mm, in the world: x right, y forward, z up; standing.
OFFSETS = {
    "r_hip": (130, 0, 0), "r_knee": (0, 20, -450), "r_ankle": (0, -20, -440),
    "l_hip": (-130, 0, 0), "l_knee": (0, 20, -450), "l_ankle": (0, -20, -440),
    "spine": (0, 0, 240), "thorax": (0, 0, 250), "neck": (0, 20, 90), "head": (0, 0, 130),
    "l_shoulder": (-150, 0, 0), "l_elbow": (-60, 0, -270), "l_wrist": (-20, 60, -240),
    "r_shoulder": (150, 0, 0), "r_elbow": (60, 0, -270), "r_wrist": (20, 60, -240),
}  # fmt: skip


LOOSE = ("l_elbow", "l_wrist", "r_elbow", "r_wrist", "l_knee", "l_ankle")  # what moves; bones keep their lengths


def posed(rotations: np.ndarray) -> np.ndarray:
    """Poses (frame, joint, 3), pelvis 900 mm up, each bone rotated by its rotation (frame, joint, 3, 3)."""
    poses = np.zeros((len(rotations), N_JOINTS, 3))
    poses[:, 0] = [0, 0, 900]
    names = {joint(name): np.array(offset, float) for name, offset in OFFSETS.items()}
    for parent, child in BONES:
        poses[:, child] = poses[:, parent] + rotations[:, child] @ names[child]
    return poses


def standing() -> np.ndarray:
    """The joints of a standing person, (joint, 3)."""
    return posed(np.broadcast_to(np.eye(3), (1, N_JOINTS, 3, 3)))[0]


def motion(seed: int, n_frames: int = N_FRAMES) -> np.ndarray:
    """A person who rotates once and moves the limbs, (frame, joint, 3) in the world."""
    rng = np.random.default_rng(seed)
    bends = np.broadcast_to(np.eye(3), (n_frames, N_JOINTS, 3, 3)).copy()
    for name in LOOSE:
        bends[:, joint(name)] = Rotation.from_rotvec(rng.normal(scale=0.5, size=(n_frames, 3))).as_matrix()
    rotations = Rotation.from_rotvec(np.linspace(0, 2 * np.pi, n_frames)[:, None] * [0, 0, 1]).as_matrix()
    place = rng.normal(scale=[200, 200, 0], size=(1, 1, 3))
    return np.einsum("fij,fkj->fki", rotations, posed(bends)) + place


def ring_camera(angle: float) -> Camera:
    """A camera 4 m away at breast height that looks at the middle of the ring."""
    center = np.array([4000 * np.cos(angle), 4000 * np.sin(angle), 1200])
    forward = np.array([0, 0, 950]) - center
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0, 0, 1])
    right /= np.linalg.norm(right)
    R = np.stack([right, np.cross(forward, right), forward])
    K = np.array([[180, 0, (SIZE_PX[0] - 1) / 2], [0, 180, (SIZE_PX[1] - 1) / 2], [0, 0, 1]], float)
    return Camera(K, np.zeros(0), SIZE_PX, R, -R @ center)
