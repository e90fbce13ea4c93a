"""Robust bundle adjustment: all cameras and all points of a rig at once, many rigs batched.

Levenberg-Marquardt with analytic derivatives on the Geman-McClure cost; points are eliminated by the Schur
complement. Nothing is held fixed: damping copes with the seven free parameters of the world frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Width of the robust cost in standard deviations, from wide (a poor start) to the final one.
START_WIDTHS = (10.0, 5.0, 4.0)
FINAL_WIDTHS = (4.0, 4.0)
STEPS_PER_WIDTH = 8
# Residuals never count as more exact than this share of the expected sigma: exact data would divide by zero.
LEAST_NOISE = 1e-4
ENOUGH = 1e-6  # relative fall of the cost below which a stage ends


@dataclass(frozen=True)
class Adjusted:
    """A rig after the adjustment."""

    R: np.ndarray  # (B, V, 3, 3) camera from world
    t: np.ndarray  # (B, V, 3)
    points: np.ndarray  # (B, N, 3)
    noise: np.ndarray  # (B,) standard deviation of the residuals, as a multiple of the sigma expected
    weights: np.ndarray  # (B, N, V) of the robust cost: 1 inlier, 0 outlier or not seen
    pose_covariance: np.ndarray  # (B, V, 6, 6) of (rotation in rad, translation), each in its camera's frame


def adjust(
    rays: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray, points: np.ndarray, widths: Sequence[float]
) -> Adjusted:
    """Adjust cameras R (B, V, 3, 3), t (B, V, 3) and points (B, N, 3) to rays (B, N, V, 2) with sigma (B, N, V).

    Rays and sigma are in normalised image units; NaN rays and infinite sigma are not seen. Points that are NaN or
    seen in fewer than two views do not take part and come back as NaN. Every camera must have a pose. `widths` are
    those of the robust cost, one stage each.
    """
    problem = _Problem.of(rays, sigma, points)
    state = (R.copy(), t.copy(), np.where(problem.used[..., None], points, 0.0))
    noise = problem.noise(state)
    for width in widths:
        state = _descend(problem, state, width * noise)
        noise = problem.noise(state)
    residual, J_camera, J_point = problem.linearise(state)
    weights = _robust_weights(residual, widths[-1] * noise)
    covariance = _pose_covariance(state, J_camera, J_point, weights, noise)
    X = np.where(problem.used[..., None], state[2], np.nan)
    shown = np.where(problem.seen, weights, 0.0)
    return Adjusted(state[0], state[1], X, noise, np.moveaxis(shown, 1, 2), covariance)


State = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class _Problem:
    rays: np.ndarray  # (B, V, N, 2)
    inverse_sigma: np.ndarray  # (B, V, N); 0 where not seen
    seen: np.ndarray  # (B, V, N)
    used: np.ndarray  # (B, N) points that take part

    @classmethod
    def of(cls, rays: np.ndarray, sigma: np.ndarray, points: np.ndarray) -> "_Problem":
        seen = np.isfinite(rays).all(-1) & np.isfinite(sigma)
        used = (seen.sum(-1) >= 2) & np.isfinite(points).all(-1)
        seen = np.moveaxis(seen & used[..., None], 2, 1)
        safe_sigma = np.where(seen, np.moveaxis(sigma, 2, 1), 1.0)
        rays = np.where(seen[..., None], np.moveaxis(rays, 2, 1), 0.0)
        return cls(rays, np.where(seen, 1 / safe_sigma, 0.0), seen, used)

    def residual(self, state: State) -> tuple[np.ndarray, np.ndarray]:
        """Whitened residuals (B, V, N, 2), large where a point is behind a camera; points in the cameras' frames."""
        R, t, X = state
        in_camera = X[:, None] @ np.swapaxes(R, -1, -2) + t[:, :, None]
        z = np.where(in_camera[..., 2:] > 1e-6, in_camera[..., 2:], np.nan)
        r = (self.rays - in_camera[..., :2] / z) * self.inverse_sigma[..., None]
        return np.where(self.seen[..., None], np.nan_to_num(r, nan=1e3), 0.0), in_camera

    def linearise(self, state: State) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Residuals and the derivatives of the projection by camera (B, V, N, 2, 6) and by point (B, V, N, 2, 3)."""
        residual, in_camera = self.residual(state)
        x, y, z = in_camera[..., 0], in_camera[..., 1], in_camera[..., 2]
        inverse_z = np.where(self.seen & (z > 1e-6), 1 / np.where(z > 1e-6, z, 1.0), 0.0)
        s, u, v = self.inverse_sigma * inverse_z, x * inverse_z, y * inverse_z
        J = np.zeros((*x.shape, 2, 6))
        # The last three columns are the derivative by the point in the camera's frame.
        J[..., 0, 3], J[..., 0, 5], J[..., 1, 4], J[..., 1, 5] = s, -s * u, s, -s * v
        J[..., 0, 0], J[..., 0, 1], J[..., 0, 2] = -s * u * y, s * (z + u * x), -s * y
        J[..., 1, 0], J[..., 1, 1], J[..., 1, 2] = -s * (z + v * y), s * v * x, s * x
        return residual, J, J[..., 3:] @ state[0][:, :, None]

    def noise(self, state: State) -> np.ndarray:
        """Standard deviation (B,) of the residuals of one coordinate, from their median, for the lost freedom made up.

        A point takes three of its 2 x views residuals for itself.
        """
        residual, _ = self.residual(state)
        size = np.where(self.seen, np.abs(residual).max(-1), np.nan).reshape(len(residual), -1)
        n = self.seen.sum((1, 2))
        freedom = np.maximum(2 * n - 3 * self.used.sum(1), 1) / np.maximum(2 * n, 1)
        # 1.0516: the median of the larger of two absolute standard normal deviates.
        median = np.nanmedian(np.where(n[:, None] > 0, size, 1.0), axis=1) / 1.0516
        return np.maximum(median / np.sqrt(freedom), LEAST_NOISE)


def _robust_weights(residual: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Weights (B, V, N) of the Geman-McClure cost of this width (B,)."""
    share = (residual**2).sum(-1) / width[:, None, None] ** 2
    return 1 / (1 + share) ** 2


def _cost(residual: np.ndarray, width: np.ndarray) -> np.ndarray:
    share = (residual**2).sum(-1) / width[:, None, None] ** 2
    return (share / (1 + share)).sum((1, 2))


def _descend(problem: _Problem, state: State, width: np.ndarray) -> State:
    damping = np.full(len(width), 1e-4)
    cost = _cost(problem.residual(state)[0], width)
    for _ in range(STEPS_PER_WIDTH):
        residual, J_camera, J_point = problem.linearise(state)
        weights = _robust_weights(residual, width)
        moved = _move(state, _step(residual, J_camera, J_point, weights, damping))
        new_cost = _cost(problem.residual(moved)[0], width)
        better = new_cost <= cost
        damping = np.where(better, damping / 10, damping * 10)
        state = tuple(  # type: ignore[assignment]
            np.where(better.reshape(-1, *[1] * (old.ndim - 1)), new, old) for new, old in zip(moved, state, strict=True)
        )
        fall = np.where(better, cost - new_cost, np.inf)
        cost = np.where(better, new_cost, cost)
        if (fall <= ENOUGH * cost).all():
            break
    return state


def _normal_parts(
    J_camera: np.ndarray, J_point: np.ndarray, weights: np.ndarray, damping: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The blocks of the normal equations: cameras (B, V, 6, 6), points inverted (B, N, 3, 3), mixed (B, V, N, 6, 3)."""
    B, V, N = weights.shape
    weighted = J_camera * weights[..., None, None]
    flat = (B, V, 2 * N, 6)
    H_camera = np.swapaxes(weighted.reshape(flat), -1, -2) @ J_camera.reshape(flat)
    H_point = np.einsum("bvn,bvnki,bvnkj->bnij", weights, J_point, J_point, optimize=True)
    H_mixed = np.swapaxes(weighted, -1, -2) @ J_point
    grow = 1 + damping[:, None, None, None]
    H_camera = np.where(np.eye(6, dtype=bool), H_camera * grow, H_camera)
    size = np.trace(H_point, axis1=-2, axis2=-1)[..., None, None]
    H_point = np.where(np.eye(3, dtype=bool), H_point * grow + 1e-12 * size + (size == 0), H_point)
    return H_camera, np.linalg.inv(H_point), H_mixed


def _reduced(H_camera: np.ndarray, H_point_inverse: np.ndarray, H_mixed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The Schur complement over the points (B, 6V, 6V) and H_mixed @ H_point^-1, (B, 6V, 3N)."""
    B, V = H_camera.shape[:2]
    wide = (B, 6 * V, -1)
    eliminated = np.swapaxes(H_mixed @ H_point_inverse[:, None], 2, 3).reshape(wide)
    S = -eliminated @ np.swapaxes(np.swapaxes(H_mixed, 2, 3).reshape(wide), -1, -2)
    for v in range(V):
        block = slice(6 * v, 6 * v + 6)
        S[:, block, block] += H_camera[:, v]
    return S, eliminated


def _step(
    residual: np.ndarray, J_camera: np.ndarray, J_point: np.ndarray, weights: np.ndarray, damping: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The damped Gauss-Newton step of the cameras (B, V, 6) and of the points (B, N, 3)."""
    B, V, N = weights.shape
    H_camera, H_point_inverse, H_mixed = _normal_parts(J_camera, J_point, weights, damping)
    weighted = weights[..., None] * residual
    g_camera = np.einsum("bvnki,bvnk->bvi", J_camera, weighted).reshape(B, 6 * V)
    g_point = np.einsum("bvnki,bvnk->bni", J_point, weighted)
    S, eliminated = _reduced(H_camera, H_point_inverse, H_mixed)
    right = g_camera - (eliminated @ g_point.reshape(B, 3 * N, 1))[..., 0]
    d_camera = _solve_free(S, right).reshape(B, V, 6)
    back = g_point - np.einsum("bvnij,bvi->bnj", H_mixed, d_camera)
    return d_camera, (H_point_inverse @ back[..., None])[..., 0]


def _solve_free(S: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solve the camera system (B, 6V, 6V), whose free world frame leaves it singular but for the damping."""
    scale = 1 / np.sqrt(np.maximum(np.diagonal(S, axis1=-2, axis2=-1), 1e-300))
    scaled = S * scale[:, :, None] * scale[:, None, :] + 1e-10 * np.eye(S.shape[-1])
    return np.linalg.solve(scaled, (scale * right)[..., None])[..., 0] * scale


def _move(state: State, step: tuple[np.ndarray, np.ndarray]) -> State:
    R, t, X = state
    turn = rotation_of(step[0][..., :3])
    return turn @ R, (turn @ t[..., None])[..., 0] + step[0][..., 3:], X + step[1]


def rotation_of(vector: np.ndarray) -> np.ndarray:
    """The rotation (..., 3, 3) by a vector (..., 3) along its axis, as long as its angle in radians (Rodrigues)."""
    angle = np.linalg.norm(vector, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(vector, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*x.shape, 3, 3)
    # sinc keeps both coefficients exact at angle 0.
    return np.eye(3) + np.sinc(angle / np.pi) * cross + 0.5 * np.sinc(angle / (2 * np.pi)) ** 2 * cross @ cross


def _pose_covariance(
    state: State, J_camera: np.ndarray, J_point: np.ndarray, weights: np.ndarray, noise: np.ndarray
) -> np.ndarray:
    """Covariance (B, V, 6, 6) of the poses, with the world frame and the scale left out of it (inner constraints).

    Lengths are measured in units of the rig's own extent while the free directions are taken out, so that rotations
    and translations weigh alike.
    """
    R, t, _ = state
    B, V = t.shape[:2]
    centers = -np.einsum("bvji,bvj->bvi", R, t)
    extent = np.sqrt(((centers - centers.mean(1, keepdims=True)) ** 2).sum(-1).mean(1))
    S, _ = _reduced(*_normal_parts(J_camera, J_point, weights, np.zeros(B)))
    units = np.concatenate([np.ones((B, V, 3)), np.repeat(extent[:, None, None], V, 1).repeat(3, 2)], -1)
    units = units.reshape(B, 6 * V)
    values, vectors = np.linalg.eigh(S * units[:, :, None] * units[:, None, :])
    # The seven smallest eigenvalues are the world's rotation, translation and scale: zero but for rounding.
    values = np.where(np.arange(6 * V) < 7, np.inf, np.maximum(values, 1e-300))
    covariance = (vectors / values[:, None, :]) @ np.swapaxes(vectors, -1, -2) * noise[:, None, None] ** 2
    covariance = covariance * units[:, :, None] * units[:, None, :]
    return np.stack([covariance[:, 6 * v : 6 * v + 6, 6 * v : 6 * v + 6] for v in range(V)], 1)
