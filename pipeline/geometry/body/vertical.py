"""The vertical of a rig, with its standard deviation, from the people in it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from pipeline.geometry.body.segment_lengths import MIN_SHARE, lag_correlation
from pipeline.shapes import check_shapes
from pipeline.skeleton import LIMB_JOINTS, joint

# Above this median angle to the vertical, people are bent or lying too often to estimate it.
MAX_TILT_DEG = 35.0
# Standard deviation of the mean lean of a standing person, in a fixed direction of the body. It comes from the posture
# and from the detector's definition of the joints, and averages out over the directions that people face.
LEAN_STD_DEG = 4.0
# Fewer frames than this cannot tell how much the directions differ.
MIN_FRAMES = 5
RAYLEIGH_MEDIAN = 1.1774  # of the length of a normal 2-vector, in standard deviations


@dataclass(frozen=True)
class Vertical:
    """The direction upwards and the standard deviation of its angle."""

    up: Float[np.ndarray, "3"]  # unit vector
    std_deg: float


@check_shapes(no_inf=("joints",))
def find_vertical(joints: Float[np.ndarray, "frame joint=17 3"]) -> Vertical | None:
    """The vertical from joints of people who mostly stand: the median direction from ankles to thorax.

    The standard deviation consists of the scatter of the directions over the effective number of independent frames,
    and of the lean that people have in the direction they face. None if the people are bent or lying too often, or if
    ankles and thorax are seen in too few of the frames with people. Raises ValueError for another shape and infinite
    joints.
    """
    ankles = (joints[:, joint("l_ankle")] + joints[:, joint("r_ankle")]) / 2
    body = joints[:, joint("thorax")] - ankles
    seen = np.isfinite(body).all(-1)
    present = int(np.isfinite(joints[:, LIMB_JOINTS]).all(-1).any(-1).sum())
    if not seen.any() or seen.sum() < MIN_SHARE * present:
        return None
    body = body / np.linalg.norm(body, axis=-1, keepdims=True)
    up = np.median(body[seen], axis=0)
    length = float(np.linalg.norm(up))
    if length == 0:
        return None
    up = up / length
    tilt_deg = np.degrees(np.arccos(np.clip(body[seen] @ up, -1, 1)))
    if np.median(tilt_deg) > MAX_TILT_DEG:
        return None
    return Vertical(up, _std_deg(joints, body, seen, up))


def _std_deg(
    joints: Float[np.ndarray, "frame joint 3"], body: Float[np.ndarray, "frame 3"], seen: Bool[np.ndarray, " frame"],
    up: Float[np.ndarray, "3"],
) -> float:  # fmt: skip
    tilt = body @ upright_axes(up)[:, :2]  # (F, 2) radians, as far as small
    n = int(seen.sum())
    scatter_deg = np.degrees(np.median(np.linalg.norm(tilt[seen], axis=-1))) / RAYLEIGH_MEDIAN
    rho = lag_correlation(np.where(seen[:, None], tilt, np.nan))
    independent = max(n * (1 - rho) / (1 + rho), 1.0)
    scatter_deg = max(scatter_deg, LEAN_STD_DEG) if n < MIN_FRAMES else scatter_deg
    variance = scatter_deg**2 / independent + (LEAN_STD_DEG * _mean_facing(joints[seen], up)) ** 2
    return float(np.sqrt(2 * variance))  # the angle has two components


def _mean_facing(joints: Float[np.ndarray, "frame joint 3"], up: Float[np.ndarray, "3"]) -> float:
    """Length of the mean horizontal direction that people face: 1 where all face one way, 0 where they turn about."""
    across = joints[:, joint("l_shoulder")] - joints[:, joint("r_shoulder")]
    facing = np.cross(across, up)
    facing = facing[np.isfinite(facing).all(-1)]
    size = np.linalg.norm(facing, axis=-1, keepdims=True)
    return float(np.linalg.norm((facing / np.where(size > 0, size, 1)).mean(0))) if len(facing) else 1.0


@check_shapes()
def upright_axes(up: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3 3"]:
    """Axes as columns: z along the unit vector `up`, x orthogonal to it and nearest to a given axis."""
    x = np.eye(3)[np.argmin(np.abs(up) - 1e-6 * np.arange(3, 0, -1))]
    x = x - (x @ up) * up
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(up, x), up], -1)
