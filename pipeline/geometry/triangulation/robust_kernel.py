"""Robust maximum likelihood over all views: a search over pairs of views, then Newton steps, in blocks."""

import numpy as np

from pipeline.compiled import compiled
from pipeline.geometry.triangulation.block_kernels import BLOCK, ROWS_PER_VIEW, X, Y, extent, gather, of_view, scatter
from pipeline.geometry.triangulation.linear_kernel import POINT, RIGHT, ROWS_PER_SYSTEM, add_view, clear, solve_systems
from pipeline.geometry.triangulation.robust_search_kernel import (
    BEST,
    BEST_COST,
    FAR,
    ROWS_PER_SEARCH,
    SLACK,
    TRIED,
    TRIED_COST,
    Block,
    begin,
    keep_better,
    robust_cost,
    search_doubtful,
    try_solution,
)

# Newton steps in single precision, which come within some micrometres of the optimum, and in double precision.
ROUGH_STEPS, FINE_STEPS = 3, 1


@compiled
def robust_kernel(
    points_norm: np.ndarray, sigma: np.ndarray, P: np.ndarray, world: np.ndarray, points: np.ndarray, pairs: np.ndarray,
    width: float,
) -> None:  # fmt: skip
    """Write points (M, N, 3) from image points (M, V, N, 2), started from pairs (S, 2) of views.

    The kernel's scale is `width` times the smallest sigma of a point.
    """
    n_batches, n_views, n_points = sigma.shape
    batches, size = extent(n_points, len(P))
    rows, weights = np.zeros(ROWS_PER_VIEW * n_views * BLOCK), np.zeros((n_views + 1) * BLOCK, np.float32)
    fine = Block(rows, weights, np.zeros(BLOCK, np.float32))
    rough, P32 = Block(rows.astype(np.float32), weights, fine.inverse_scale), P.astype(np.float32)
    doubtful = Block(rough.rows.copy(), weights.copy(), fine.inverse_scale.copy())
    search, search32 = np.zeros(ROWS_PER_SEARCH * BLOCK), np.zeros(ROWS_PER_SEARCH * BLOCK, np.float32)
    system = np.empty(ROWS_PER_SYSTEM * BLOCK, np.float32)
    for first in range(0, n_batches, batches):
        g = first if len(P) > 1 else 0
        for start in range(0, n_points, size):
            span = (first, min(first + batches, n_batches), start, min(start + size, n_points))
            n = gather(points_norm, sigma, P[g], span, rows, weights)
            _set_scale(weights, width, fine.inverse_scale, n, n_views)
            for k in range(len(rows)):
                rough.rows[k] = rows[k]
            _start(rough, P32[g], system, search32, n)
            search_doubtful(rough, doubtful, P32[g], pairs, system, search32, n)
            _refine(rough, P32[g], system, search32, ROUGH_STEPS, n)
            for k in range(3 * BLOCK):
                search[k] = search32[k]
            _refine(fine, P[g], system, search, FINE_STEPS, n)
            scatter(search, weights[n_views * BLOCK :], span, world[g], points)


@compiled
def _set_scale(weights: np.ndarray, width: float, inverse_scale: np.ndarray, n: int, n_views: int) -> None:
    """Set the row of 1 / scale^2."""
    inverse_width = np.float32(1 / width)
    for k in range(n):
        inverse_scale[k] = 0
    for v in range(n_views):
        weight = weights[v * BLOCK :]
        for k in range(n):
            inverse_scale[k] = max(inverse_scale[k], weight[k])
    for k in range(n):
        inverse_scale[k] = (inverse_scale[k] * inverse_width) * (inverse_scale[k] * inverse_width)


@compiled
def _start(seen: Block, P: np.ndarray, system: np.ndarray, search: np.ndarray, n: int) -> None:
    """Take the points of the linear method as the best points."""
    clear(system, n)
    for v in range(len(P)):
        add_view(of_view(seen.rows, v), seen.weights[v * BLOCK :], P[v], system, n)
    begin(search, n)
    try_solution(seen, P, system, search, n)
    keep_better(search, n)


@compiled
def _refine(seen: Block, P: np.ndarray, system: np.ndarray, search: np.ndarray, steps: int, n: int) -> None:
    """Newton steps on the robust cost from the best points; the best points on the way are kept."""
    for k in range(3 * BLOCK):
        search[TRIED + k] = search[BEST + k]
    for k in range(n):
        search[BEST_COST + k] = np.inf
    for _ in range(steps):
        clear(system, n)
        for k in range(n):
            search[TRIED_COST + k] = 0
        for v in range(len(P)):
            _add_step(of_view(seen.rows, v), seen.weights[v * BLOCK :], seen.inverse_scale, P[v], search, system, n)
        solve_systems(system, n)
        _advance(system, search, n)
    robust_cost(seen, P, search, n)
    keep_better(search, n)


@compiled
def _advance(step: np.ndarray, search: np.ndarray, n: int) -> None:
    """Keep the tried point and step on from it; if it costs more, go half of the way back to the best point."""
    half = search.dtype.type(0.5)
    for k in range(n):
        better = search[TRIED_COST + k] < search[BEST_COST + k] * SLACK
        x, y, z = search[TRIED + k], search[TRIED + BLOCK + k], search[TRIED + 2 * BLOCK + k]
        bx = x if better else search[BEST + k]
        by = y if better else search[BEST + BLOCK + k]
        bz = z if better else search[BEST + 2 * BLOCK + k]
        search[BEST + k], search[BEST + BLOCK + k], search[BEST + 2 * BLOCK + k] = bx, by, bz
        search[BEST_COST + k] = search[TRIED_COST + k] if better else search[BEST_COST + k]
        search[TRIED + k] = x + step[POINT + k] if better else half * (bx + x)
        search[TRIED + BLOCK + k] = y + step[POINT + BLOCK + k] if better else half * (by + y)
        search[TRIED + 2 * BLOCK + k] = z + step[POINT + 2 * BLOCK + k] if better else half * (bz + z)


@compiled
def _add_step(
    view: np.ndarray, weight: np.ndarray, inverse_scale: np.ndarray, P: np.ndarray, search: np.ndarray,
    system: np.ndarray, n: int,
) -> None:  # fmt: skip
    """Add one view's contribution to the cost of the tried points and to the normal equations of a step from them.

    The residual is computed in the precision of the search, the step in single precision.
    """
    p00, p01, p02, p03 = P[0]
    p10, p11, p12, p13 = P[1]
    p20, p21, p22, p23 = P[2]
    R = P.astype(np.float32)
    r00, r01, r02 = R[0, 0], R[0, 1], R[0, 2]
    r10, r11, r12 = R[1, 0], R[1, 1], R[1, 2]
    r20, r21, r22 = R[2, 0], R[2, 1], R[2, 2]
    zero, one, four, far = np.float32(0), np.float32(1), np.float32(4), np.float32(FAR)
    for k in range(n):
        x, y, z = search[TRIED + k], search[TRIED + BLOCK + k], search[TRIED + 2 * BLOCK + k]
        depth = p20 * x + p21 * y + p22 * z + p23
        across, down = p00 * x + p01 * y + p02 * z + p03, p10 * x + p11 * y + p12 * z + p13
        dx, dy = np.float32(view[X + k] * depth - across), np.float32(view[Y + k] * depth - down)
        u, q, d = np.float32(across), np.float32(down), np.float32(depth)
        front = d > zero
        d2, d = dx * dx + dy * dy if front else far, d if front else one
        # 1 / d and 1 / (1 + (r / scale)^2) from a single division.
        below = d * d + inverse_scale[k] * d2
        both = one / (d * below)
        inverse, robust, own = below * both, d * d * d * both, weight[k]
        search[TRIED_COST + k] += own * own * d2 * d * both
        u, q, rx, ry = u * inverse, q * inverse, dx * inverse, dy * inverse
        w = own * inverse * robust
        w = w * w
        # Newton's term for the decrease of the weight with the residual, times the weight, which keeps the matrix
        # positive.
        bend = four * inverse_scale[k] * robust * robust * robust
        a0, a1, a2 = r00 - u * r20, r01 - u * r21, r02 - u * r22
        b0, b1, b2 = r10 - q * r20, r11 - q * r21, r12 - q * r22
        g0, g1, g2 = a0 * rx + b0 * ry, a1 * rx + b1 * ry, a2 * rx + b2 * ry
        h0, h1, h2 = bend * g0, bend * g1, bend * g2
        system[k] += w * (a0 * a0 + b0 * b0 - h0 * g0)
        system[BLOCK + k] += w * (a0 * a1 + b0 * b1 - h0 * g1)
        system[2 * BLOCK + k] += w * (a0 * a2 + b0 * b2 - h0 * g2)
        system[3 * BLOCK + k] += w * (a1 * a1 + b1 * b1 - h1 * g1)
        system[4 * BLOCK + k] += w * (a1 * a2 + b1 * b2 - h1 * g2)
        system[5 * BLOCK + k] += w * (a2 * a2 + b2 * b2 - h2 * g2)
        w = w * d
        system[RIGHT + k] += w * g0
        system[RIGHT + BLOCK + k] += w * g1
        system[RIGHT + 2 * BLOCK + k] += w * g2
