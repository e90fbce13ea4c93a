"""A person who walks before two cameras, and detectors that swap left and right."""

from dataclasses import dataclass

import numpy as np

from pipeline.geometry.triangulation.bone_lengths import millimetre, own_lengths
from pipeline.geometry.triangulation.left_right import swap_left_right
from pipeline.geometry.triangulation.person.side_states import LastBody, SideStates, find_side_states
from tests.world.cameras import FOCAL_PX, observed, ring
from tests.world.people import moving

FPS = 25.0


@dataclass(frozen=True)
class Observed:
    """Detections of a person, and the cameras."""

    joints: np.ndarray  # (F, J, 3)
    points_norm: np.ndarray
    sigma: np.ndarray
    R: np.ndarray
    t: np.ndarray

    def swapped(self, where: np.ndarray) -> "Observed":
        """With left and right swapped where (F, V)."""
        points_norm, sigma = (swap_left_right(a, where[:, None]) for a in (self.points_norm, self.sigma))
        return Observed(self.joints, points_norm, sigma, self.R, self.t)

    def hidden(self, where: np.ndarray) -> "Observed":
        """Without the detections where (F, V)."""
        sigma = np.where(where[:, None], np.inf, self.sigma)
        return Observed(self.joints, self.points_norm, sigma, self.R, self.t)

    def states(self, frames_per_block: int = 64) -> SideStates:
        """The states of all frames, found block by block."""
        parts: list[SideStates] = []
        last: LastBody | None = None
        lengths = own_lengths(self.joints)
        for start in range(0, len(self.joints), frames_per_block):
            block = slice(start, start + frames_per_block)
            states, last = find_side_states(
                self.points_norm[block], self.sigma[block], self.R, self.t, lengths,
                first=start, fps=FPS, unit=millimetre(self.joints, lengths), last=last,
            )  # fmt: skip
            parts.append(states)
        return SideStates.joined(parts)


def walker(n_frames: int = 100, n_views: int = 2, noise_px: float = 4.0, seed: int = 0) -> Observed:
    """A person who walks and turns before cameras at right angles."""
    # The person at rest of the tests' world bends the arms backwards; mirrored, they bend forwards.
    joints = moving(np.arange(n_frames) / FPS, seed) * [1, -1, 1]
    R, t = (a[:n_views] for a in ring(4))
    points_norm, _ = observed(joints, R, t, noise_px=noise_px, seed=seed)
    return Observed(
        joints, points_norm, np.full(points_norm.shape[:3], max(noise_px, 0.5) / FOCAL_PX), R[None], t[None]
    )
