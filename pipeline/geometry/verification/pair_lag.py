"""The time lag between two views, found together with their epipolar geometry from the people they see.

A wrong time is absorbed by a rig that was calibrated with it. The epipolar geometry is therefore estimated anew for
each lag. A lag of s frames means that frame f + s of the second view shows the moment of frame f of the first.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.geometry.calibration.essential import relative_pose
from pipeline.geometry.calibration.gauge import rotation_of

# Scale of the Geman-McClure kernel in standard deviations of the residuals.
WIDTH = 3.0
MIN_MATCHES = 60
MATCHES_PER_START = 300
STEPS = 12
# Residual, in expected standard deviations, at which a match costs half in the comparison of starts.
START_SCALE = 0.5
# Largest difference of a point from the middle of its neighbours in time, in expected standard deviations.
MAX_BEND = 1.0
# Smallest noise, in expected standard deviations, so that exact points cause no division by zero.
MIN_NOISE = 1e-3


@dataclass(frozen=True)
class Tracks:
    """The image points of one view over time; NaN where not seen."""

    points_norm: np.ndarray  # (F, J, 2)
    velocity: np.ndarray  # (F, J, 2) per frame, from frames on both sides
    sigma: np.ndarray  # (F, J) of the points
    window: np.ndarray  # (F,) frames of one number are consecutive
    block: np.ndarray  # (F,) number of the block of time

    @classmethod
    def of(cls, points_norm: np.ndarray, sigma: np.ndarray, window: np.ndarray, block: np.ndarray, h: int) -> "Tracks":
        """Tracks whose velocity is the central difference over h frames on both sides.

        The point itself has no part in its velocity, so that its error is not correlated with it.
        """
        seen = np.isfinite(sigma) & np.isfinite(points_norm).all(-1)
        x = np.where(seen[..., None], points_norm, np.nan)
        return cls(x, velocities(x, sigma, window, h), np.where(seen, sigma, np.inf), window, block)


def velocities(x: np.ndarray, sigma: np.ndarray, window: np.ndarray, h: int) -> np.ndarray:
    """Velocities (F, ..., 2) per frame of points (F, ..., 2) with standard deviations sigma; NaN where not known.

    An outlier makes its neighbours seem to move fast; as errors of a lag grow with the speed, a single one of them
    outweighs many others.
    """
    velocity = np.full_like(x, np.nan)
    if len(x) > 2 * h:
        before, after = x[: -2 * h], x[2 * h :]
        bend = np.linalg.norm(after - 2 * x[h:-h] + before, axis=-1)
        known = (window[2 * h :] == window[: -2 * h]).reshape(-1, *[1] * (x.ndim - 2)) & (
            bend < MAX_BEND * np.sqrt(6) * sigma[h:-h]
        )
        velocity[h:-h] = np.where(known[..., None], (after - before) / (2 * h), np.nan)
    return velocity


@dataclass(frozen=True)
class Matches:
    """Image points of one moment in two views if the lag is a whole number of frames."""

    first: np.ndarray  # (M, 2)
    second: np.ndarray  # (M, 2)
    velocity: np.ndarray  # (M, 2) of the second
    sigma: np.ndarray  # (M,)
    frame: np.ndarray  # (M,) of the first
    joint: np.ndarray  # (M,)

    def taken(self, index: np.ndarray) -> "Matches":
        """Some of the matches."""
        return Matches(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Lag:
    """A lag between two views with the epipolar geometry that fits it."""

    R: np.ndarray  # (3, 3) second view from first
    t: np.ndarray  # (3,) of length 1
    frames: float
    noise: float  # of the epipolar residuals, in expected standard deviations


def match(first: Tracks, second: Tracks, lag: int, step: int) -> Matches:
    """Match every step-th frame of the first view with the frame `lag` later of the second."""
    frame = np.arange(max(0, -lag), min(len(first.window), len(first.window) - lag), step)
    other = frame + lag
    same = first.window[frame] == second.window[other]
    frame, other = frame[same], other[same]
    sigma = np.sqrt((first.sigma[frame] ** 2 + second.sigma[other] ** 2) / 2)
    a, b, v = first.points_norm[frame], second.points_norm[other], second.velocity[other]
    both = np.isfinite(sigma) & np.isfinite(v).all(-1)
    row, joint = np.nonzero(both)
    return Matches(a[both], b[both], v[both], sigma[both], frame[row], joint)


def residuals(R: np.ndarray, t: np.ndarray, matches: Matches, fraction: float) -> np.ndarray:
    """Sampson distances (M,) in expected standard deviations, the second points moved by a fraction of a frame."""
    x, y, z = t
    E = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ R
    a, b = matches.first, matches.second + fraction * matches.velocity
    line, back = a @ E[:, :2].T + E[:, 2], b @ E[:2] + E[2]
    product = (b * line[:, :2]).sum(-1) + line[:, 2]
    size = np.sqrt((line[:, :2] ** 2).sum(-1) + (back[:, :2] ** 2).sum(-1))
    return product / np.maximum(size, 1e-12) / matches.sigma


def jacobian(lag: Lag, matches: Matches, fraction: float) -> tuple[np.ndarray, np.ndarray]:
    """Residuals (M,) and their derivatives (M, 6) by rotation, direction of the baseline, and frames of lag."""
    r = residuals(lag.R, lag.t, matches, fraction)
    J, small = np.empty((len(r), 6)), 1e-6
    for i in range(5):
        J[:, i] = (residuals(*_moved(lag.R, lag.t, small * np.eye(5)[i]), matches, fraction) - r) / small
    J[:, 5] = (residuals(lag.R, lag.t, matches, fraction + 1e-3) - r) / 1e-3
    return r, J


def _moved(R: np.ndarray, t: np.ndarray, step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    across = np.linalg.qr(np.column_stack([t, np.eye(3)]))[0][:, 1:3]
    t = t + across @ step[3:]
    return rotation_of(step[:3]) @ R, t / np.linalg.norm(t)


def robust_share(r: np.ndarray, noise: float) -> np.ndarray:
    """The Geman-McClure cost of residuals, 0 to 1."""
    share = (r / (WIDTH * noise)) ** 2
    return share / (1 + share)


def noise_of(r: np.ndarray) -> float:
    """Standard deviation of the smaller residuals, from their lower quartile: part of the frames may be wrong."""
    return max(3.138 * float(np.quantile(np.abs(r), 0.25)), MIN_NOISE)


def start_at(first: Tracks, second: Tracks, lag: int, step: int, rng: np.random.Generator) -> tuple[float, Lag] | None:
    """The epipolar geometry at a lag, and the cost of all matches; None if too few agree."""
    matches = match(first, second, lag, step)
    if len(matches.sigma) < MIN_MATCHES:
        return None
    few = matches.taken(np.sort(rng.permutation(len(matches.sigma))[:MATCHES_PER_START]))
    pose = relative_pose(few.first, few.second, few.sigma, seed=0)
    if pose is None:
        return None
    r = residuals(pose.R, pose.t, matches, 0.0)
    return float(robust_share(r, START_SCALE / WIDTH).mean()), Lag(pose.R, pose.t, float(lag), noise_of(r))


def refine(
    first: Tracks, second: Tracks, lag: Lag, step: int, *, most: float, free: bool = True, bold: float = 1.0
) -> Lag | None:
    """Minimise the robust cost over the epipolar geometry and, if `free`, the lag within +-`most` frames.

    Gauss-Newton with reweighting; a step changes the lag by at most `bold` frames. None if too few points match.
    """
    unknown = 6 if free else 5
    for _ in range(STEPS):
        k = round(lag.frames)
        matches = match(first, second, k, step)
        if len(matches.sigma) < MIN_MATCHES:
            return None
        r, J = jacobian(lag, matches, lag.frames - k)
        noise = noise_of(r)
        w, J = (1 - robust_share(r, noise)) ** 2, J[:, :unknown]
        H = (J * w[:, None]).T @ J
        d = -np.linalg.solve(H + np.diag(1e-6 * np.diag(H) + 1e-12), (J * w[:, None]).T @ r)
        d[:5] *= min(1.0, 0.2 / max(float(np.abs(d[:5]).max()), 1e-12))
        frames = float(np.clip(lag.frames + np.clip(d[5], -bold, bold), -most, most)) if free else lag.frames
        moved = abs(frames - lag.frames)
        lag = Lag(*_moved(lag.R, lag.t, d[:5]), frames, noise)
        if moved < 1e-2 and np.abs(d[:5]).max() < 1e-4:
            break
    return lag
