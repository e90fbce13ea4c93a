"""Triangulation of many points seen by a rig: robust maximum likelihood, weighted linear, and the paper's pairs.

Rays are undistorted normalised image coordinates (..., N, V, 2) of N points in V views; `sigma` (..., N, V) is the
standard deviation expected of each, in the same unit, infinite where a view did not see the point. Rotations are
(..., V, 3, 3) and translations (..., V, 3), from the world to each camera; leading dimensions are separate rigs.
Inside, points are the last, contiguous dimension and coordinates are separate arrays, so that numpy runs over points.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

# Residuals beyond about this many standard deviations lose their say (Geman-McClure).
ROBUST_WIDTH = 5.0
STEPS = 6
POINTS_PER_BLOCK = 4096
# Above nine views not all pairs are tried, only this many, spread evenly over all of them.
MOST_PAIRS = 36


@dataclass(frozen=True)
class Views:
    """Rays and cameras as arrays of coordinates: what the kernels below work on."""

    x: list[np.ndarray]  # per view (..., N)
    y: list[np.ndarray]
    inverse_sigma: list[np.ndarray]  # 0 where not seen
    P: list[np.ndarray]  # per view (3, 4, ..., 1): rows of [R | t]

    def __len__(self) -> int:
        return len(self.x)

    @classmethod
    def of(cls, rays: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray) -> "Views":
        """Take the arrays apart; a view without a pose is one that saw nothing."""
        posed = np.isfinite(R).all((-1, -2)) & np.isfinite(t).all(-1)
        seen = np.isfinite(rays).all(-1) & np.isfinite(sigma) & posed[..., None, :]
        safe = np.where(seen[..., None], rays, 0.0)
        inverse = np.where(seen, 1 / np.where(seen, sigma, 1.0), 0.0)
        Rt = np.nan_to_num(np.concatenate([R, t[..., None]], -1))
        P = np.moveaxis(Rt, (-2, -1), (0, 1))[..., None]
        views = range(rays.shape[-2])
        return cls(
            [np.ascontiguousarray(safe[..., v, 0]) for v in views],
            [np.ascontiguousarray(safe[..., v, 1]) for v in views],
            [np.ascontiguousarray(inverse[..., v]) for v in views],
            [P[..., v, :] for v in views],
        )


def robust(rays: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Points (..., N, 3) with the least Geman-McClure cost over all views; NaN where no two views saw the point.

    The start is the best of the points from pairs of views, so that outliers in fewer than half of the views do no
    harm; Gauss-Newton steps on the robust cost follow.
    """
    return _in_blocks(_robust_block, rays, sigma, R, t)


def linear(rays: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Points (..., N, 3) by the linear method over all views, weighted by 1 / sigma; NaN where fewer than two saw it.

    The equations are weighted a second time by 1 / depth, which makes their errors image errors.
    """
    return _in_blocks(_linear_block, rays, sigma, R, t)


def pairs(rays: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Points (..., N, 3): the geometric median of the points from consecutive pairs of views (EpipolarPose's way)."""
    return _in_blocks(_pairs_block, rays, sigma, R, t)


def _in_blocks(solve, rays: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    n = rays.shape[-3]
    size = max(POINTS_PER_BLOCK // max(int(np.prod(rays.shape[:-3])), 1), 1)
    points = np.full((*rays.shape[:-2], 3), np.nan)
    for start in range(0, n, size):
        part = np.s_[..., start : start + size, :]
        views = Views.of(rays[..., start : start + size, :, :], sigma[part], R, t)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            X = solve(views)
        n_seen = np.sum([w > 0 for w in views.inverse_sigma], axis=0)
        points[part] = np.where((n_seen >= 2)[..., None], np.stack(X, -1), np.nan)
    return points


def _robust_block(views: Views) -> list[np.ndarray]:
    normal = [_linear_equations(views, v, None) for v in range(len(views))]
    X = [np.zeros_like(views.x[0]) for _ in range(3)]
    best = np.full(views.x[0].shape, np.inf)
    for a, b in _pairs_to_try(len(views)):
        candidate = _solve3([p + q for p, q in zip(normal[a], normal[b], strict=True)])
        both = (views.inverse_sigma[a] > 0) & (views.inverse_sigma[b] > 0)
        cost = np.where(both, _robust_cost(views, candidate), np.inf)
        better = cost < best
        best = np.where(better, cost, best)
        X = [np.where(better, c, x) for c, x in zip(candidate, X, strict=True)]
    for _ in range(STEPS):
        step = _solve3(_gauss_newton_equations(views, X))
        moved = [x + d for x, d in zip(X, step, strict=True)]
        cost = _robust_cost(views, moved)
        better = cost <= best
        best = np.where(better, cost, best)
        X = [np.where(better, m, x) for m, x in zip(moved, X, strict=True)]
    return X


def _linear_block(views: Views) -> list[np.ndarray]:
    depth: list[np.ndarray | None] = [None] * len(views)
    X: list[np.ndarray] = []
    for _ in range(3):
        parts = [_linear_equations(views, v, depth[v]) for v in range(len(views))]
        X = _solve3([np.sum(terms, axis=0) for terms in zip(*parts, strict=True)])
        depth = [_in_camera(P, X)[2] for P in views.P]
    return X


def _pairs_block(views: Views) -> list[np.ndarray]:
    found = []
    for a in range(len(views) - 1):
        pair = Views(*(list(part[a : a + 2]) for part in (views.x, views.y, views.inverse_sigma, views.P)))
        both = (pair.inverse_sigma[0] > 0) & (pair.inverse_sigma[1] > 0)
        X = _linear_block(pair)
        for _ in range(2):  # to the two-view optimum: the reprojection error's least squares
            step = _solve3(_gauss_newton_equations(pair, X, width=np.inf))
            X = [x + d for x, d in zip(X, step, strict=True)]
        found.append(np.where(both, np.stack(X), np.nan))
    median = _geometric_median(np.stack(found))
    return [median[0], median[1], median[2]]


def _geometric_median(points: np.ndarray) -> np.ndarray:
    """Of points (M, 3, ...), ignoring NaN; (3, ...). Weiszfeld's iteration."""
    there = np.isfinite(points).all(1, keepdims=True) & np.ones_like(points, bool)
    safe = np.where(there, points, 0.0)
    median = safe.sum(0) / there.sum(0)
    for _ in range(30):
        distance = np.sqrt(((safe - median) ** 2).sum(1, keepdims=True))
        w = there / np.maximum(distance, 1e-9)
        median = (w * safe).sum(0) / w.sum(0)
    return median


def _pairs_to_try(n_views: int) -> list[tuple[int, int]]:
    every = list(combinations(range(n_views), 2))
    chosen = np.unique(np.linspace(0, len(every) - 1, min(len(every), MOST_PAIRS)).round().astype(int))
    return [every[i] for i in chosen]


def _in_camera(P: np.ndarray, X: list[np.ndarray]) -> list[np.ndarray]:
    return [P[i, 0] * X[0] + P[i, 1] * X[1] + P[i, 2] * X[2] + P[i, 3] for i in range(3)]


def _linear_equations(views: Views, v: int, depth: np.ndarray | None) -> list[np.ndarray]:
    """One view's share of the 3 x 3 normal equations: xx, xy, xz, yy, yz, zz and the right-hand side."""
    P, w = views.P[v], views.inverse_sigma[v]
    if depth is not None:
        w = w / np.maximum(np.abs(depth), 1e-9)
    w = w * w
    a = [views.x[v] * P[2, i] - P[0, i] for i in range(4)]
    b = [views.y[v] * P[2, i] - P[1, i] for i in range(4)]
    upper = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    matrix = [w * (a[i] * a[j] + b[i] * b[j]) for i, j in upper]
    return matrix + [-w * (a[i] * a[3] + b[i] * b[3]) for i in range(3)]


def _gauss_newton_equations(views: Views, X: list[np.ndarray], width: float = ROBUST_WIDTH) -> list[np.ndarray]:
    total: list[np.ndarray] = [np.zeros_like(X[0]) for _ in range(9)]
    for v, P in enumerate(views.P):
        c = _in_camera(P, X)
        w, inverse_z = views.inverse_sigma[v], 1 / c[2]
        u, q = c[0] * inverse_z, c[1] * inverse_z
        rx, ry = w * (views.x[v] - u), w * (views.y[v] - q)
        robust_w = 1 / (1 + (rx * rx + ry * ry) / width**2) ** 2
        robust_w = np.where((c[2] > 0) & (w > 0), robust_w, 0.0)
        scale = np.where(w > 0, w * inverse_z, 0.0)
        a = [scale * (P[0, i] - u * P[2, i]) for i in range(3)]
        b = [scale * (P[1, i] - q * P[2, i]) for i in range(3)]
        for k, (i, j) in enumerate([(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]):
            total[k] += robust_w * (a[i] * a[j] + b[i] * b[j])
        for i in range(3):
            total[6 + i] += np.where(robust_w > 0, robust_w * (a[i] * rx + b[i] * ry), 0.0)
    return total


def _solve3(equations: list[np.ndarray]) -> list[np.ndarray]:
    """Solve symmetric 3 x 3 systems in closed form."""
    a, b, c, d, e, f, x, y, z = equations
    A, B, C = d * f - e * e, c * e - b * f, b * e - c * d
    D, E, F = a * f - c * c, b * c - a * e, a * d - b * b
    inverse = 1 / (a * A + b * B + c * C)
    return [(A * x + B * y + C * z) * inverse, (B * x + D * y + E * z) * inverse, (C * x + E * y + F * z) * inverse]


def _robust_cost(views: Views, X: list[np.ndarray]) -> np.ndarray:
    """Sum over the views of r^2 / (r^2 + width^2); a view that has the point behind it counts as an outlier."""
    cost = np.zeros_like(X[0])
    for v, P in enumerate(views.P):
        c = _in_camera(P, X)
        inverse_z = 1 / c[2]
        rx = views.x[v] - c[0] * inverse_z
        ry = views.y[v] - c[1] * inverse_z
        r2 = (rx * rx + ry * ry) * views.inverse_sigma[v] ** 2
        share = np.where(c[2] > 0, r2 / (r2 + ROBUST_WIDTH**2), 1.0)
        cost += np.where(views.inverse_sigma[v] > 0, share, 0.0)
    return np.where(np.isfinite(cost), cost, np.inf)


def residuals(points: np.ndarray, rays: np.ndarray, R: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance of each ray from the projected point, in normalised units, and the point's depth, both (..., N, V).

    NaN where the view has no ray or no pose; the distance is infinite where the point lies behind the camera.
    """
    in_camera = np.einsum("...vij,...nj->...nvi", R, points) + t[..., None, :, :]
    depth = in_camera[..., 2]
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = np.linalg.norm(in_camera[..., :2] / depth[..., None] - rays, axis=-1)
    return np.where(depth <= 0, np.inf, distance), depth


def covariance(points: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Covariance (..., N, 3, 3) of points from the views with a finite sigma (..., N, V), in the points' unit squared.

    Infinite where the views do not determine the point.
    """
    in_camera = np.einsum("...vij,...nj->...nvi", R, points) + t[..., None, :, :]
    z = in_camera[..., 2:]
    with np.errstate(invalid="ignore", divide="ignore"):
        projected = in_camera[..., :2] / z
        J = (R[..., None, :, :2, :] - projected[..., None] * R[..., None, :, 2:, :]) / (z * sigma[..., None])[..., None]
    J = np.where(np.isfinite(J), J, 0.0)
    information = np.einsum("...nvki,...nvkj->...nij", J, J)
    size = np.trace(information, axis1=-2, axis2=-1)[..., None, None]
    good = np.linalg.det(information / np.where(size > 0, size, 1.0)) > 1e-12
    inverse = np.linalg.inv(np.where(good[..., None, None], information, np.eye(3)))
    return np.where(good[..., None, None], inverse, np.inf)
