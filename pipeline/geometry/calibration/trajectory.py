"""Adjustment of moving cameras over all frames at once, with constant velocity between knots.

The unknowns are the cameras' extrinsics at the knots; between two knots a camera's velocity and angular velocity are
constant. Each frame's points are eliminated separately, so that the reduced system couples only neighbouring knots.
The standard deviation of each camera's motion from knot to knot is estimated as well (MacKay, Bayesian interpolation,
1992). Static cameras are therefore adjusted as one rig. Of motions that give the same images (all cameras and people
together), the smallest is chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy.spatial.transform import Rotation

from pipeline.geometry.calibration import gauge, trajectory_kernels
from pipeline.geometry.calibration.bundle import MEDIAN_OF_LARGER, MIN_NOISE
from pipeline.geometry.calibration.shared_errors import variance_inflation_of
from pipeline.shapes import check_shapes

# Scales of the robust kernel in units of the noise, one for each round of steps. A round ends with an estimate of the
# motion and the noise.
WIDTHS = (10.0, 6.0, 6.0, 6.0, 6.0, 6.0)
STEPS_PER_ROUND = 6
ENOUGH = 1e-5  # relative decrease of the cost below which a round ends
# Lower bound of the standard deviation of a camera's motion from knot to knot, in radians and in shares of the rig's
# extent; the start is START_MOTION times the bound.
MIN_MOTION, START_MOTION = 1e-5, 10.0
# Standard deviation of the first knot, which fixes the gauge: radians and shares of the extent.
ANCHOR = 30.0


@dataclass(frozen=True)
class Trajectory:
    """Extrinsics of the cameras at the knots."""

    knots: Float[np.ndarray, " knot"]  # frame numbers, increasing
    R: Float[np.ndarray, "knot view 3 3"]  # camera from world
    centers: Float[np.ndarray, "knot view 3"]

    def place(self, frames: Int[np.ndarray, " frame"]) -> tuple[Int[np.ndarray, " frame"], Float[np.ndarray, " frame"]]:
        """The index of the knot before each frame, and the share of the way to the next."""
        before = np.clip(np.searchsorted(self.knots, frames, side="right") - 1, 0, len(self.knots) - 2)
        return before, (frames - self.knots[before]) / (self.knots[before + 1] - self.knots[before])

    def at(
        self, frames: Int[np.ndarray, " frame"]
    ) -> tuple[Float[np.ndarray, "frame view 3 3"], Float[np.ndarray, "frame view 3"]]:
        """Rotations and translations of the cameras at some frames."""
        before, share = self.place(frames)
        rotation = share[:, None, None] * self.motion[before, :, 0]
        R = gauge.rotation_of(rotation) @ self.R[before]
        a, b = self.centers[before], self.centers[before + 1]
        return R, -np.einsum("fvij,fvj->fvi", R, a + share[:, None, None] * (b - a))

    @property
    def motion(self) -> Float[np.ndarray, "step view 2 3"]:
        """Motion from each knot to the next: a rotation vector in radians and a translation, in the camera's frame."""
        between = self.R[1:] @ np.swapaxes(self.R[:-1], -1, -2)
        rotation = Rotation.from_matrix(between.reshape(-1, 3, 3)).as_rotvec().reshape(*between.shape[:2], 3)
        return np.stack([rotation, -np.einsum("kvij,kvj->kvi", self.R[:-1], np.diff(self.centers, axis=0))], 2)

    @property
    def extent(self) -> float:
        """Root mean square distance of the cameras from their mean."""
        mean = self.centers.mean(0)
        return float(np.sqrt(((mean - mean.mean(0)) ** 2).sum(-1).mean()))

    def moved(self, step: Float[np.ndarray, "knot unknown"]) -> "Trajectory":
        """The trajectory after a step (K, 6 V): for each camera a rotation vector and a translation in its frame."""
        rotation, shift = np.moveaxis(step.reshape(*self.centers.shape[:2], 2, 3), 2, 0)
        R = gauge.rotation_of(rotation) @ self.R
        return replace(self, R=R, centers=self.centers - np.einsum("kvji,kvj->kvi", R, shift))


@dataclass(frozen=True)
class AdjustedTrajectory:
    """A trajectory after the adjustment, and its uncertainty."""

    trajectory: Trajectory
    points: Float[np.ndarray, "frame joint 3"]
    weights: Float[np.ndarray, "frame joint view"]  # of the robust cost: 1 inlier, 0 outlier or not seen
    noise: float  # standard deviation of the residuals, as a multiple of the expected sigma
    covariance: Float[np.ndarray, "knot unknown unknown"]  # of the knots' steps
    covariance_to_next: Float[np.ndarray, "step unknown unknown"]  # between neighbouring knots

    def uncertainty(
        self, frames: Int[np.ndarray, " frame"]
    ) -> tuple[Float[np.ndarray, "frame view"], Float[np.ndarray, "frame view 3 3"]]:
        """Standard deviations of rotations in radians, and covariances of centres in their cameras' axes.

        The gauge freedoms of the world's frame and unit are removed.
        """
        (before, share), (R, t) = self.trajectory.place(frames), self.trajectory.at(frames)
        rotation, center = np.empty(t.shape[:2]), np.empty((*t.shape, 3))
        for f, (k, s) in enumerate(zip(before, share, strict=True)):
            to_next = s * (1 - s) * self.covariance_to_next[k]
            own = (1 - s) ** 2 * self.covariance[k] + s**2 * self.covariance[k + 1] + to_next + to_next.T
            units = gauge.units_of(R[f], t[f])
            free, _ = np.linalg.qr(gauge.gauge_basis(R[f], t[f]) / units[:, None])
            inside = (np.eye(len(free)) - free @ free.T) / units
            covariance = units[:, None] * (inside @ own @ inside.T) * units
            for v in range(t.shape[1]):
                first, last = slice(6 * v, 6 * v + 3), slice(6 * v + 3, 6 * v + 6)
                rotation[f, v], center[f, v] = np.sqrt(np.trace(covariance[first, first])), covariance[last, last]
        return rotation, center


@check_shapes(no_inf=("points_norm",))
def adjust(
    frames: Int[np.ndarray, " frame"],
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    start: Trajectory,
    points: Float[np.ndarray, "frame joint 3"],
    *,
    groups: Sequence[Shaped[np.ndarray, " point"]],
) -> AdjustedTrajectory:
    """Adjust moving cameras and points to the normalised image points of some frames.

    NaN image points and infinite sigma count as not seen. `groups` (frames times joints) are those of
    `bundle.uncertainty`. Raises ValueError for shapes that do not fit and infinite image points.
    """
    problem = _Problem.of(frames, points_norm, sigma, start, points)
    variance_inflation = 1.0
    for factor in WIDTHS:
        problem.descend(factor * problem.noise, variance_inflation * problem.noise**2)
        problem.noise = problem.measured_noise()
        width = factor * problem.noise
        variance_inflation = problem.variance_inflation(width, groups)
        weight = variance_inflation * problem.noise**2
        diagonal, above, _ = problem.system(width, 0.0, weight)
        covariance, to_next = (weight * block for block in _inverse(diagonal, above))
        problem.motion_std = problem.estimated_motion_std(covariance, to_next)
    weights = problem.weights(width)
    return AdjustedTrajectory(problem.trajectory, problem.points, weights, problem.noise, covariance, to_next)


@dataclass
class _Problem:
    frames: np.ndarray  # (F,)
    points_norm: np.ndarray  # (F, J, V, 2)
    inverse_sigma: np.ndarray  # (F, J, V); 0 where not seen
    trajectory: Trajectory
    points: np.ndarray  # (F, J, 3)
    motion_std: np.ndarray  # (V, 2) of each camera's rotation and translation from knot to knot
    noise: float = 1.0

    @classmethod
    def of(
        cls, frames: np.ndarray, points_norm: np.ndarray, sigma: np.ndarray, start: Trajectory, points: np.ndarray
    ) -> "_Problem":
        seen = np.isfinite(points_norm).all(-1) & np.isfinite(sigma)
        seen &= ((seen.sum(-1) >= 2) & np.isfinite(points).all(-1))[..., None]
        inverse = np.where(seen, 1 / np.where(seen, sigma, 1.0), 0.0)
        points_norm, points = (
            np.where(seen[..., None], points_norm, 0.0),
            np.where(seen.any(-1)[..., None], points, 0.0),
        )
        least = START_MOTION * MIN_MOTION * np.array([1.0, start.extent])
        motion_std = np.maximum(np.sqrt((start.motion**2).mean((0, 3))), least)
        problem = cls(frames, points_norm, inverse, start, points, motion_std)
        problem.noise = problem.measured_noise()
        return problem

    def residual(self, trajectory: Trajectory, points: np.ndarray) -> np.ndarray:
        out = np.empty_like(self.points_norm)
        R, t = trajectory.at(self.frames)
        trajectory_kernels.residuals(self.points_norm, self.inverse_sigma, R, t, points, out)
        return out

    def weights(self, width: float) -> np.ndarray:
        share = (self.residual(self.trajectory, self.points) ** 2).sum(-1) / width**2
        return np.where(self.inverse_sigma > 0, 1 / (1 + share) ** 2, 0.0)

    def measured_noise(self) -> float:
        """The noise, estimated as for a static rig, but without counting the few unknowns of the cameras."""
        seen = self.inverse_sigma > 0
        size = np.abs(self.residual(self.trajectory, self.points)).max(-1)[seen]
        freedom = max(1 - 1.5 * np.count_nonzero(seen.any(-1)) / max(len(size), 1), 0.1)
        median = float(np.median(size)) / MEDIAN_OF_LARGER if len(size) else 1.0
        return max(median / np.sqrt(freedom), MIN_NOISE)

    def cost(self, trajectory: Trajectory, points: np.ndarray, width: float, weight: float) -> float:
        share = (self.residual(trajectory, points) ** 2).sum(-1) / width**2
        motion = (trajectory.motion / self.motion_std[:, :, None]) ** 2
        return float(width**2 * (share / (1 + share)).sum() + weight * motion.sum())

    def system(self, width: float, damping: float, weight: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Blocks on the diagonal (K, D, D) and above it (K - 1, D, D), and the right-hand side (K, D)."""
        (K, V), at = self.trajectory.centers.shape[:2], np.arange(6 * self.points_norm.shape[2])
        diagonal, above, right = np.zeros((K, 6 * V, 6 * V)), np.zeros((K - 1, 6 * V, 6 * V)), np.zeros((K, 6 * V))
        (R, t), (before, share) = self.trajectory.at(self.frames), self.trajectory.place(self.frames)
        trajectory_kernels.assemble(
            self.points_norm,
            self.inverse_sigma,
            R,
            t,
            self.points,
            before,
            share,
            width,
            damping,
            diagonal,
            above,
            right,
        )
        stiffness = weight * np.repeat(1 / self.motion_std.ravel() ** 2, 3)
        pull = stiffness * self.trajectory.motion.reshape(K - 1, 6 * V)
        right[:-1] += pull
        right[1:] -= pull
        diagonal[:-1, at, at] += stiffness
        diagonal[1:, at, at] += stiffness
        above[:, at, at] -= stiffness
        anchor = ANCHOR * np.array([1.0, self.trajectory.extent])
        diagonal[0, at, at] += weight * np.tile(np.repeat(1 / anchor**2, 3), V)
        return diagonal, above, right

    def descend(self, width: float, weight: float) -> None:
        """Levenberg-Marquardt steps of cameras and points."""
        now, damping = self.cost(self.trajectory, self.points, width, weight), 1e-4
        for _ in range(STEPS_PER_ROUND):
            step = _solve(*self.system(width, damping, weight))
            (R, t), (before, share) = self.trajectory.at(self.frames), self.trajectory.place(self.frames)
            trajectory, points = self.trajectory.moved(step), self.points.copy()
            trajectory_kernels.move_points(
                self.points_norm, self.inverse_sigma, R, t, self.points, before, share, width, damping, step, points
            )
            new = self.cost(trajectory, points, width, weight)
            if not new <= now:
                damping *= 10
                continue
            fall, now, damping = now - new, new, damping / 10
            self.trajectory, self.points = trajectory, points
            if fall <= ENOUGH * now:
                break

    def variance_inflation(self, width: float, groups: Sequence[np.ndarray]) -> float:
        """The factor by which errors shared by points enlarge the covariance, computed as for static cameras."""
        (F, J, V), middle = self.inverse_sigma.shape, len(self.frames) // 2
        S, scores = np.zeros((6 * V, 6 * V)), np.zeros((F, J, 6 * V))
        R, t = self.trajectory.at(self.frames)
        trajectory_kernels.scores(self.points_norm, self.inverse_sigma, R, t, self.points, width, S, scores)
        free, units = gauge.gauge_basis(R[middle], t[middle]), gauge.units_of(R[middle], t[middle])
        root = gauge.root_of_inverse(S, free, units)
        return variance_inflation_of(scores.reshape(F * J, -1) @ root, groups)

    def estimated_motion_std(self, covariance: np.ndarray, to_next: np.ndarray) -> np.ndarray:
        """Standard deviation of each camera's motion from knot to knot (V, 2), from the motion and its uncertainty."""
        motion = self.trajectory.motion
        between = covariance[:-1] + covariance[1:] - to_next - np.swapaxes(to_next, 1, 2)
        relative_variance = np.einsum("kdd->kd", between).reshape(motion.shape) / self.motion_std[:, :, None] ** 2
        n_determined = np.maximum((1 - relative_variance).sum((0, 3)), 1e-3 * motion[:, 0, 0].size)
        least = MIN_MOTION * np.array([1.0, self.trajectory.extent])
        return np.maximum(np.sqrt((motion**2).sum((0, 3)) / n_determined), least)


def _solve(diagonal: np.ndarray, above: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solve a symmetric block-tridiagonal system for (K, D)."""
    left, step = diagonal.copy(), right.copy()
    for k in range(1, len(left)):
        solved = np.linalg.solve(left[k - 1], np.column_stack([above[k - 1], step[k - 1]]))
        left[k] -= above[k - 1].T @ solved[:, :-1]
        step[k] -= above[k - 1].T @ solved[:, -1]
    for k in range(len(left) - 1, -1, -1):
        behind = above[k] @ step[k + 1] if k < len(above) else 0.0
        step[k] = np.linalg.solve(left[k], step[k] - behind)
    return step


def _inverse(diagonal: np.ndarray, above: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The blocks on the diagonal (K, D, D) and above it (K - 1, D, D) of the inverse of a block-tridiagonal matrix."""
    left, gain = diagonal.copy(), np.empty_like(above)
    for k in range(1, len(left)):
        gain[k - 1] = np.linalg.solve(left[k - 1], above[k - 1])
        left[k] -= above[k - 1].T @ gain[k - 1]
    inverse, beside = np.linalg.inv(left), np.empty_like(above)
    for k in range(len(above) - 1, -1, -1):
        beside[k] = -gain[k] @ inverse[k + 1]
        inverse[k] -= beside[k] @ gain[k].T
    return inverse, beside
