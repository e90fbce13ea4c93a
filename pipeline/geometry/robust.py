"""Robust maximum likelihood over all views: a search over pairs of views, then Newton steps, in blocks.

The cost of a view whose ray misses the point by r is (r / sigma)^2 / (1 + (r / reach)^2) (Geman and McClure). The
reach is that of the view which is surest of the point: all views are let go at the same distance, but what it costs to
let one go grows with its confidence.
"""

import numpy as np

from pipeline.geometry.blocks import BLOCK, ROWS_PER_VIEW, X, Y, compiled, extent, gather, of_view, scatter
from pipeline.geometry.linear import POINT, RIGHT, ROWS_PER_SYSTEM, add_view, clear, solve_systems

# Steps in single precision, which come within some micrometres of the optimum, and in double precision after them.
ROUGH_STEPS, FINE_STEPS = 3, 1
# A point that fewer pairs than this have in view tries pairs of its own; so many of them at the most.
ENOUGH_PAIRS, MOST_PAIRS = 10, 36
# Rows of a search: the best point so far and its cost, the one being tried and its cost, how many pairs were tried.
BEST, BEST_COST, TRIED, TRIED_COST, N_TRIED = 0, 3 * BLOCK, 4 * BLOCK, 7 * BLOCK, 8 * BLOCK
ROWS_PER_SEARCH = 9


@compiled
def robust_kernel(
    rays: np.ndarray, sigma: np.ndarray, P: np.ndarray, world: np.ndarray, points: np.ndarray, pairs: np.ndarray,
    width: float,
) -> None:  # fmt: skip
    """Points (M, N, 3) from rays (M, V, N, 2), started from pairs (S, 2) of views; the reach is width * sigma."""
    n_batches, n_views, n_points = sigma.shape
    batches, size = extent(n_points, len(P))
    rows, weights = np.empty(ROWS_PER_VIEW * n_views * BLOCK), np.empty((n_views + 1) * BLOCK, np.float32)
    rows32, P32, seen = rows.astype(np.float32), P.astype(np.float32), weights[n_views * BLOCK :]
    letting_go = np.empty(BLOCK, np.float32)
    system, system32 = np.zeros(ROWS_PER_SYSTEM * BLOCK), np.zeros(ROWS_PER_SYSTEM * BLOCK, np.float32)
    search, search32 = np.zeros(ROWS_PER_SEARCH * BLOCK), np.zeros(ROWS_PER_SEARCH * BLOCK, np.float32)
    parts32 = np.empty(n_views * POINT, np.float32)
    for first in range(0, n_batches, batches):
        g = first if len(P) > 1 else 0
        for start in range(0, n_points, size):
            span = (first, min(first + batches, n_batches), start, min(start + size, n_points))
            n = gather(rays, sigma, P[g], span, rows, weights)
            _set_reach(weights, np.float32(width), letting_go, n, n_views)
            for k in range(len(rows)):
                rows32[k] = rows[k]
            _search(rows32, weights, letting_go, P32[g], pairs, parts32, system32, search32, n)
            _refine(rows32, weights, letting_go, P32[g], system32, search32, ROUGH_STEPS, n)
            for k in range(4 * BLOCK):
                search[k] = search32[k]
            _refine(rows, weights, letting_go, P[g], system, search, FINE_STEPS, n)
            scatter(search, seen, span, world[g], points)


@compiled
def _set_reach(weights: np.ndarray, width: float, letting_go: np.ndarray, n: int, n_views: int) -> None:
    """Set the row of 1 / reach^2."""
    for k in range(n):
        letting_go[k] = 0
    for v in range(n_views):
        weight = weights[v * BLOCK :]
        for k in range(n):
            letting_go[k] = max(letting_go[k], weight[k])
    for k in range(n):
        letting_go[k] = (letting_go[k] / width) * (letting_go[k] / width)


@compiled
def _search(
    rows: np.ndarray, weights: np.ndarray, letting_go: np.ndarray, P: np.ndarray, pairs: np.ndarray, parts: np.ndarray,
    system: np.ndarray, search: np.ndarray, n: int,
) -> None:  # fmt: skip
    """Find the best of the points from pairs of views."""
    zero, most = search.dtype.type(0), search.dtype.type(np.inf)
    for k in range(n):
        search[BEST + k] = search[BEST + BLOCK + k] = search[BEST + 2 * BLOCK + k] = search[N_TRIED + k] = zero
        search[BEST_COST + k] = most
    for v in range(len(P)):
        part = parts[v * POINT : (v + 1) * POINT]
        clear(part, n)
        add_view(of_view(rows, v), weights[v * BLOCK :], P[v], part, n)
    for s in range(len(pairs)):
        _try_pair(rows, weights, letting_go, P, parts, pairs[s, 0], pairs[s, 1], system, search, n)
    if len(pairs) < len(P) * (len(P) - 1) // 2:
        for k in range(n):
            if search[N_TRIED + k] < ENOUGH_PAIRS:
                _try_own_pairs(rows[k:], weights[k:], letting_go[k:], P, parts[k:], system[k:], search[k:])


@compiled
def _try_own_pairs(
    rows: np.ndarray, weights: np.ndarray, letting_go: np.ndarray, P: np.ndarray, parts: np.ndarray,
    system: np.ndarray, search: np.ndarray,
) -> None:  # fmt: skip
    """Try pairs of the views that saw the first point of the rows, spread evenly over all of them."""
    seeing = [v for v in range(len(P)) if weights[v * BLOCK] > 0]
    total = len(seeing) * (len(seeing) - 1) // 2
    tries, index = min(total, MOST_PAIRS), 0
    for i in range(len(seeing)):
        for j in range(i):
            if (index + 1) * tries // total > index * tries // total:
                _try_pair(rows, weights, letting_go, P, parts, seeing[j], seeing[i], system, search, 1)
            index += 1


@compiled
def _try_pair(
    rows: np.ndarray, weights: np.ndarray, letting_go: np.ndarray, P: np.ndarray, parts: np.ndarray, a: int, b: int,
    system: np.ndarray, search: np.ndarray, n: int,
) -> None:  # fmt: skip
    part_a, part_b = parts[a * POINT : (a + 1) * POINT], parts[b * POINT : (b + 1) * POINT]
    for row in range(9):
        for k in range(n):
            system[row * BLOCK + k] = part_a[row * BLOCK + k] + part_b[row * BLOCK + k]
    solve_systems(system, n)
    for row in range(3):
        for k in range(n):
            search[TRIED + row * BLOCK + k] = system[POINT + row * BLOCK + k]
    _cost(rows, weights, letting_go, P, search, n)
    seen_a, seen_b = weights[a * BLOCK :], weights[b * BLOCK :]
    one, zero, most = search.dtype.type(1), search.dtype.type(0), search.dtype.type(np.inf)
    for k in range(n):
        both = (seen_a[k] > 0) & (seen_b[k] > 0)
        search[N_TRIED + k] += one if both else zero
        search[TRIED_COST + k] = search[TRIED_COST + k] if both else most
    _keep_better(search, n)


@compiled
def _keep_better(search: np.ndarray, n: int) -> None:
    """Let the point that was tried be the best where it costs less."""
    for k in range(n):
        better = search[TRIED_COST + k] < search[BEST_COST + k]
        search[BEST + k] = search[TRIED + k] if better else search[BEST + k]
        search[BEST + BLOCK + k] = search[TRIED + BLOCK + k] if better else search[BEST + BLOCK + k]
        search[BEST + 2 * BLOCK + k] = search[TRIED + 2 * BLOCK + k] if better else search[BEST + 2 * BLOCK + k]
        search[BEST_COST + k] = search[TRIED_COST + k] if better else search[BEST_COST + k]


@compiled
def _cost(
    rows: np.ndarray, weights: np.ndarray, letting_go: np.ndarray, P: np.ndarray, search: np.ndarray, n: int
) -> None:
    """The robust cost of the points being tried; a view that has the point behind it counts as let go."""
    real = search.dtype.type
    zero, far = real(0), real(1e12)
    for k in range(n):
        search[TRIED_COST + k] = zero
    for v in range(len(P)):
        view, weight = of_view(rows, v), weights[v * BLOCK :]
        p00, p01, p02, p03 = P[v, 0]
        p10, p11, p12, p13 = P[v, 1]
        p20, p21, p22, p23 = P[v, 2]
        for k in range(n):
            x, y, z = search[TRIED + k], search[TRIED + BLOCK + k], search[TRIED + 2 * BLOCK + k]
            depth = p20 * x + p21 * y + p22 * z + p23
            dx = real(view[X + k]) * depth - (p00 * x + p01 * y + p02 * z + p03)
            dy = real(view[Y + k]) * depth - (p10 * x + p11 * y + p12 * z + p13)
            w = real(weight[k])
            # r^2 = d2 / depth^2, multiplied out: a single division.
            d2, depth2 = dx * dx + dy * dy, depth * depth
            d2 = d2 if depth > zero else far
            share = w * w * d2 / (depth2 + real(letting_go[k]) * d2)
            search[TRIED_COST + k] += share if w > zero else zero


@compiled
def _refine(
    rows: np.ndarray, weights: np.ndarray, letting_go: np.ndarray, P: np.ndarray, system: np.ndarray,
    search: np.ndarray, steps: int, n: int,
) -> None:  # fmt: skip
    """Newton steps on the robust cost from the best points; the best of the points passed remain."""
    zero, most = search.dtype.type(0), search.dtype.type(np.inf)
    for k in range(n):
        search[BEST_COST + k] = most
        for row in range(3):
            search[TRIED + row * BLOCK + k] = search[BEST + row * BLOCK + k]
    for _ in range(steps):
        clear(system, n)
        for k in range(n):
            search[TRIED_COST + k] = zero
        for v in range(len(P)):
            _add_step(of_view(rows, v), weights[v * BLOCK :], letting_go, P[v], search, system, n)
        _keep_better(search, n)
        solve_systems(system, n)
        for row in range(3):
            for k in range(n):
                search[TRIED + row * BLOCK + k] += system[POINT + row * BLOCK + k]
    _cost(rows, weights, letting_go, P, search, n)
    _keep_better(search, n)


@compiled
def _add_step(
    view: np.ndarray, weight: np.ndarray, letting_go: np.ndarray, P: np.ndarray, search: np.ndarray,
    system: np.ndarray, n: int,
) -> None:  # fmt: skip
    """Add one view's share of the cost of the points being tried and of the normal equations of a step from there."""
    real = search.dtype.type
    p00, p01, p02, p03 = P[0]
    p10, p11, p12, p13 = P[1]
    p20, p21, p22, p23 = P[2]
    zero, one, four, far = real(0), real(1), real(4), real(1e12)
    for k in range(n):
        x, y, z = search[TRIED + k], search[TRIED + BLOCK + k], search[TRIED + 2 * BLOCK + k]
        depth = p20 * x + p21 * y + p22 * z + p23
        sure = real(weight[k])
        used = (depth > zero) & (sure > zero)
        inverse = one / depth if used else zero
        u, q = (p00 * x + p01 * y + p02 * z + p03) * inverse, (p10 * x + p11 * y + p12 * z + p13) * inverse
        rx, ry = real(view[X + k]) - u, real(view[Y + k]) - q
        r2 = rx * rx + ry * ry if depth > zero else far
        kept = one / (one + real(letting_go[k]) * r2)
        search[TRIED_COST + k] += sure * sure * r2 * kept
        w = sure * inverse * kept
        w = w * w
        # Newton's matrix, but for a factor of kept that leaves it positive: how the weight falls as the residual grows.
        bend = four * real(letting_go[k]) * kept * kept
        a0, a1, a2 = p00 - u * p20, p01 - u * p21, p02 - u * p22
        b0, b1, b2 = p10 - q * p20, p11 - q * p21, p12 - q * p22
        g0, g1, g2 = a0 * rx + b0 * ry, a1 * rx + b1 * ry, a2 * rx + b2 * ry
        h0, h1, h2 = bend * g0, bend * g1, bend * g2
        system[k] += w * (a0 * a0 + b0 * b0 - h0 * g0)
        system[BLOCK + k] += w * (a0 * a1 + b0 * b1 - h0 * g1)
        system[2 * BLOCK + k] += w * (a0 * a2 + b0 * b2 - h0 * g2)
        system[3 * BLOCK + k] += w * (a1 * a1 + b1 * b1 - h1 * g1)
        system[4 * BLOCK + k] += w * (a1 * a2 + b1 * b2 - h1 * g2)
        system[5 * BLOCK + k] += w * (a2 * a2 + b2 * b2 - h2 * g2)
        w = w * depth
        system[RIGHT + k] += w * g0
        system[RIGHT + BLOCK + k] += w * g1
        system[RIGHT + 2 * BLOCK + k] += w * g2
