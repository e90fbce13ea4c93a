"""Robust maximum likelihood over all views: a search over pairs of views, then Gauss-Newton steps, in blocks.

The cost of a view whose ray misses the point by r is (r / sigma)^2 / (1 + (r / reach)^2) (Geman and McClure). The
reach is that of the view which is surest of the point: all views are let go at the same distance, but what it costs to
let one go grows with its confidence.
"""

import numpy as np

from pipeline.geometry.blocks import (
    BLOCK,
    OWN,
    ROOM,
    ROWS_PER_VIEW,
    WEIGHT,
    X,
    Y,
    compiled,
    extent,
    gather,
    in_single,
    of_view,
    scatter,
)  # fmt: skip
from pipeline.geometry.linear import POINT, RIGHT, ROWS_PER_SYSTEM, add_view, clear, drop_unseen, solve_systems

# Steps in single precision, which come within some micrometres of the optimum, and in double precision after them.
ROUGH_STEPS, FINE_STEPS = 5, 2
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
    batches, size = extent(n_points, n_views, len(P))
    flat, rows = np.empty(3 * ROOM), np.empty(ROWS_PER_VIEW * n_views * BLOCK)
    rows32, P32 = rows.astype(np.float32), P.astype(np.float32)
    system, system32 = np.zeros(ROWS_PER_SYSTEM * BLOCK), np.zeros(ROWS_PER_SYSTEM * BLOCK, np.float32)
    search, search32 = np.zeros(ROWS_PER_SEARCH * BLOCK), np.zeros(ROWS_PER_SEARCH * BLOCK, np.float32)
    parts32 = np.empty(n_views * POINT, np.float32)
    for first in range(0, n_batches, batches):
        g = first if len(P) > 1 else 0
        for start in range(0, n_points, size):
            span = (first, min(first + batches, n_batches), start, min(start + size, n_points))
            n = gather(rays, sigma, P[g], span, flat, rows)
            _set_reach(rows, search, width, n, n_views)
            in_single(rows, rows32, n, n_views)
            _search(rows32, P32[g], pairs, parts32, system32, search32, n)
            _refine(rows32, P32[g], system32, search32, ROUGH_STEPS, n)
            for k in range(3 * BLOCK):
                search[k] = search32[k]
            _cost(rows, P[g], search, BEST, BEST_COST, n)
            _refine(rows, P[g], system, search, FINE_STEPS, n)
            drop_unseen(rows, system, search, n, n_views)
            scatter(search, BEST, span, world[g], points)


@compiled
def _set_reach(rows: np.ndarray, room: np.ndarray, width: float, n: int, n_views: int) -> None:
    """Set each view's own row to 1 / reach^2."""
    for k in range(n):
        room[k] = 0.0
    for v in range(n_views):
        view = of_view(rows, v)
        for k in range(n):
            room[k] = max(room[k], view[WEIGHT + k])
    for v in range(n_views):
        view = of_view(rows, v)
        for k in range(n):
            view[OWN + k] = (room[k] / width) * (room[k] / width)


@compiled
def _search(
    rows: np.ndarray, P: np.ndarray, pairs: np.ndarray, parts: np.ndarray, system: np.ndarray, search: np.ndarray,
    n: int,
) -> None:  # fmt: skip
    """Find the best of the points from pairs of views."""
    zero, most = search.dtype.type(0), search.dtype.type(np.inf)
    for k in range(n):
        search[BEST + k] = search[BEST + BLOCK + k] = search[BEST + 2 * BLOCK + k] = search[N_TRIED + k] = zero
        search[BEST_COST + k] = most
    for v in range(len(P)):
        view, part = of_view(rows, v), parts[v * POINT : (v + 1) * POINT]
        clear(part, n)
        add_view(view, view[WEIGHT:], P[v], part, n)
    for s in range(len(pairs)):
        _try_pair(rows, P, parts, pairs[s, 0], pairs[s, 1], system, search, n)
    if len(pairs) < len(P) * (len(P) - 1) // 2:
        for k in range(n):
            if search[N_TRIED + k] < ENOUGH_PAIRS:
                _try_own_pairs(rows[k:], P, parts[k:], system[k:], search[k:])


@compiled
def _try_own_pairs(rows: np.ndarray, P: np.ndarray, parts: np.ndarray, system: np.ndarray, search: np.ndarray) -> None:
    """Try pairs of the views that saw the first point of the rows, spread evenly over all of them."""
    seeing = [v for v in range(len(P)) if of_view(rows, v)[WEIGHT] > 0]
    total = len(seeing) * (len(seeing) - 1) // 2
    tries, index = min(total, MOST_PAIRS), 0
    for i in range(len(seeing)):
        for j in range(i):
            if (index + 1) * tries // total > index * tries // total:
                _try_pair(rows, P, parts, seeing[j], seeing[i], system, search, 1)
            index += 1


@compiled
def _try_pair(
    rows: np.ndarray, P: np.ndarray, parts: np.ndarray, a: int, b: int, system: np.ndarray, search: np.ndarray, n: int
) -> None:
    part_a, part_b = parts[a * POINT : (a + 1) * POINT], parts[b * POINT : (b + 1) * POINT]
    for row in range(9):
        for k in range(n):
            system[row * BLOCK + k] = part_a[row * BLOCK + k] + part_b[row * BLOCK + k]
    solve_systems(system, n)
    for row in range(3):
        for k in range(n):
            search[TRIED + row * BLOCK + k] = system[POINT + row * BLOCK + k]
    _cost(rows, P, search, TRIED, TRIED_COST, n)
    seen_a, seen_b = of_view(rows, a)[WEIGHT:], of_view(rows, b)[WEIGHT:]
    one, zero = search.dtype.type(1), search.dtype.type(0)
    for k in range(n):
        both = (seen_a[k] > 0) & (seen_b[k] > 0)
        search[N_TRIED + k] += one if both else zero
        better = both & (search[TRIED_COST + k] < search[BEST_COST + k])
        search[BEST + k] = search[TRIED + k] if better else search[BEST + k]
        search[BEST + BLOCK + k] = search[TRIED + BLOCK + k] if better else search[BEST + BLOCK + k]
        search[BEST + 2 * BLOCK + k] = search[TRIED + 2 * BLOCK + k] if better else search[BEST + 2 * BLOCK + k]
        search[BEST_COST + k] = search[TRIED_COST + k] if better else search[BEST_COST + k]


@compiled
def _cost(rows: np.ndarray, P: np.ndarray, search: np.ndarray, point: int, cost: int, n: int) -> None:
    """The robust cost of three rows of points; a view that has the point behind it counts as let go."""
    zero, most, far = search.dtype.type(0), search.dtype.type(np.inf), search.dtype.type(1e12)
    at, total = search[point : point + 3 * BLOCK], search[cost : cost + BLOCK]
    for k in range(n):
        total[k] = zero
    for v in range(len(P)):
        view = of_view(rows, v)
        p00, p01, p02, p03 = P[v, 0]
        p10, p11, p12, p13 = P[v, 1]
        p20, p21, p22, p23 = P[v, 2]
        for k in range(n):
            x, y, z = at[k], at[BLOCK + k], at[2 * BLOCK + k]
            depth = p20 * x + p21 * y + p22 * z + p23
            dx = view[X + k] * depth - (p00 * x + p01 * y + p02 * z + p03)
            dy = view[Y + k] * depth - (p10 * x + p11 * y + p12 * z + p13)
            w, inverse_reach2 = view[WEIGHT + k], view[OWN + k]
            # r^2 = d2 / depth^2, multiplied out: a single division.
            d2, depth2 = dx * dx + dy * dy, depth * depth
            d2 = d2 if depth > zero else far
            share = w * w * d2 / (depth2 + inverse_reach2 * d2)
            total[k] += share if w > zero else zero
    for k in range(n):
        total[k] = total[k] if total[k] >= zero else most


@compiled
def _refine(rows: np.ndarray, P: np.ndarray, system: np.ndarray, search: np.ndarray, steps: int, n: int) -> None:
    """Gauss-Newton steps on the robust cost from the best points, each kept where it lowers the cost."""
    for _ in range(steps):
        clear(system, n)
        for v in range(len(P)):
            _add_step(of_view(rows, v), P[v], search, system, n)
        solve_systems(system, n)
        for row in range(3):
            for k in range(n):
                search[TRIED + row * BLOCK + k] = search[BEST + row * BLOCK + k] + system[POINT + row * BLOCK + k]
        _cost(rows, P, search, TRIED, TRIED_COST, n)
        for k in range(n):
            better = search[TRIED_COST + k] <= search[BEST_COST + k]
            search[BEST + k] = search[TRIED + k] if better else search[BEST + k]
            search[BEST + BLOCK + k] = search[TRIED + BLOCK + k] if better else search[BEST + BLOCK + k]
            search[BEST + 2 * BLOCK + k] = search[TRIED + 2 * BLOCK + k] if better else search[BEST + 2 * BLOCK + k]
            search[BEST_COST + k] = search[TRIED_COST + k] if better else search[BEST_COST + k]


@compiled
def _add_step(view: np.ndarray, P: np.ndarray, search: np.ndarray, system: np.ndarray, n: int) -> None:
    """Add one view's share of the normal equations of a step from the best points."""
    p00, p01, p02, p03 = P[0]
    p10, p11, p12, p13 = P[1]
    p20, p21, p22, p23 = P[2]
    zero, one = search.dtype.type(0), search.dtype.type(1)
    for k in range(n):
        x, y, z = search[BEST + k], search[BEST + BLOCK + k], search[BEST + 2 * BLOCK + k]
        depth = p20 * x + p21 * y + p22 * z + p23
        used = (depth > zero) & (view[WEIGHT + k] > zero)
        inverse = one / depth if used else zero
        u, q = (p00 * x + p01 * y + p02 * z + p03) * inverse, (p10 * x + p11 * y + p12 * z + p13) * inverse
        rx, ry = view[X + k] - u, view[Y + k] - q
        w = view[WEIGHT + k] * inverse / (one + view[OWN + k] * (rx * rx + ry * ry))
        w = w * w
        rx, ry = rx * depth, ry * depth
        a0, a1, a2 = p00 - u * p20, p01 - u * p21, p02 - u * p22
        b0, b1, b2 = p10 - q * p20, p11 - q * p21, p12 - q * p22
        system[k] += w * (a0 * a0 + b0 * b0)
        system[BLOCK + k] += w * (a0 * a1 + b0 * b1)
        system[2 * BLOCK + k] += w * (a0 * a2 + b0 * b2)
        system[3 * BLOCK + k] += w * (a1 * a1 + b1 * b1)
        system[4 * BLOCK + k] += w * (a1 * a2 + b1 * b2)
        system[5 * BLOCK + k] += w * (a2 * a2 + b2 * b2)
        system[RIGHT + k] += w * (a0 * rx + b0 * ry)
        system[RIGHT + BLOCK + k] += w * (a1 * rx + b1 * ry)
        system[RIGHT + 2 * BLOCK + k] += w * (a2 * rx + b2 * ry)
