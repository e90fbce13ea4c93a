"""Robust maximum likelihood over all views: a search over pairs of views, then Newton steps, in blocks.

The cost of a view whose ray misses the point by r is (r / sigma)^2 / (1 + (r / reach)^2) (Geman and McClure). The
reach is that of the view which is surest of the point: all views are let go at the same distance, but what it costs to
let one go grows with its confidence.
"""

from typing import NamedTuple

import numpy as np

from pipeline.compiled import compiled
from pipeline.geometry.triangulation.linear_kernel import POINT, RIGHT, ROWS_PER_SYSTEM, add_view, clear, solve_systems
from pipeline.geometry.triangulation.point_blocks import (
    BLOCK,
    LANES,
    ROWS_PER_VIEW,
    X,
    Y,
    extent,
    gather,
    of_view,
    scatter,
)

# Steps from rays in single precision, which come within some micrometres of the optimum, and in double precision.
ROUGH_STEPS, FINE_STEPS = 3, 1
# Where the views cost more than this each at the point of the linear method, one of them may be an outlier.
AGREED = 3.0
# Costs are compared to the precision in which they are summed.
SLACK = np.float32(1 + 1e-6)
# A point that fewer pairs than this have in view tries pairs of its own; so many of them at the most.
ENOUGH_PAIRS, MOST_PAIRS = 10, 36
# Rows of a search: the best point so far and its cost, the one being tried and its cost, how many pairs were tried.
BEST, BEST_COST, TRIED, TRIED_COST, N_TRIED = 0, 3 * BLOCK, 4 * BLOCK, 7 * BLOCK, 8 * BLOCK
ROWS_PER_SEARCH = 9
# A ray that misses its point by so much has been let go.
FAR = 1e12


class _Block(NamedTuple):
    """What the views saw of the points of a block."""

    rows: np.ndarray  # of rays, in double precision or in single
    weights: np.ndarray  # as `gather` fills them
    inverse_scale: np.ndarray  # a row of 1 / reach^2


@compiled
def robust_kernel(
    points_norm: np.ndarray, sigma: np.ndarray, P: np.ndarray, world: np.ndarray, points: np.ndarray, pairs: np.ndarray,
    width: float,
) -> None:  # fmt: skip
    """Points (M, N, 3) from rays (M, V, N, 2), started from pairs (S, 2) of views; the reach is width * sigma."""
    n_batches, n_views, n_points = sigma.shape
    batches, size = extent(n_points, len(P))
    rows, weights = np.zeros(ROWS_PER_VIEW * n_views * BLOCK), np.zeros((n_views + 1) * BLOCK, np.float32)
    fine = _Block(rows, weights, np.zeros(BLOCK, np.float32))
    rough, P32 = _Block(rows.astype(np.float32), weights, fine.inverse_scale), P.astype(np.float32)
    doubtful = _Block(rough.rows.copy(), weights.copy(), fine.inverse_scale.copy())
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
            _search_doubtful(rough, doubtful, P32[g], pairs, system, search32, n)
            _refine(rough, P32[g], system, search32, ROUGH_STEPS, n)
            for k in range(3 * BLOCK):
                search[k] = search32[k]
            _refine(fine, P[g], system, search, FINE_STEPS, n)
            scatter(search, weights[n_views * BLOCK :], span, world[g], points)


@compiled
def _set_scale(weights: np.ndarray, width: float, inverse_scale: np.ndarray, n: int, n_views: int) -> None:
    """Set the row of 1 / reach^2."""
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
def _start(seen: _Block, P: np.ndarray, system: np.ndarray, search: np.ndarray, n: int) -> None:
    """Let the points of the linear method be the best."""
    clear(system, n)
    for v in range(len(P)):
        add_view(of_view(seen.rows, v), seen.weights[v * BLOCK :], P[v], system, n)
    _begin(search, n)
    _try_solution(seen, P, system, search, n)
    _keep_better(search, n)


@compiled
def _begin(search: np.ndarray, n: int) -> None:
    """No best points yet, and no pairs tried."""
    for k in range(n):
        search[BEST + k] = search[BEST + BLOCK + k] = search[BEST + 2 * BLOCK + k] = search[N_TRIED + k] = 0
        search[BEST_COST + k] = np.inf


@compiled
def _search_doubtful(
    seen: _Block, doubtful: _Block, P: np.ndarray, pairs: np.ndarray, system: np.ndarray, search: np.ndarray, n: int
) -> None:
    """Where the views do not agree on the best points, search for better ones; `doubtful` is room for what is seen."""
    n_views, count, which = len(P), 0, np.zeros(BLOCK, np.int64)
    n_seen = seen.weights[n_views * BLOCK :]
    for k in range(n):
        if n_seen[k] > 2 and search[BEST_COST + k] > AGREED * n_seen[k]:
            which[count] = k
            count += 1
    full = min((count + LANES - 1) // LANES * LANES, BLOCK)
    for source, into in ((seen.rows, doubtful.rows), (seen.weights, doubtful.weights)):
        for row in range(len(source) // BLOCK):
            for k in range(full):
                into[row * BLOCK + k] = source[row * BLOCK + which[k]]
    for k in range(full):
        doubtful.inverse_scale[k] = seen.inverse_scale[which[k]]
    found = np.empty(ROWS_PER_SEARCH * BLOCK, np.float32)
    _search(doubtful, P, pairs, system, found, full)
    for k in range(count):
        if found[BEST_COST + k] < search[BEST_COST + which[k]]:
            for row in range(4):
                search[BEST + row * BLOCK + which[k]] = found[BEST + row * BLOCK + k]


@compiled
def _search(seen: _Block, P: np.ndarray, pairs: np.ndarray, system: np.ndarray, search: np.ndarray, n: int) -> None:
    """Find the best of the points from pairs of views."""
    parts = np.empty(len(P) * POINT, np.float32)
    _begin(search, n)
    for v in range(len(P)):
        part = parts[v * POINT : (v + 1) * POINT]
        clear(part, n)
        add_view(of_view(seen.rows, v), seen.weights[v * BLOCK :], P[v], part, n)
    for s in range(len(pairs)):
        _try_pair(seen, P, parts, pairs[s, 0], pairs[s, 1], system, search, n)
    if len(pairs) < len(P) * (len(P) - 1) // 2:
        for k in range(n):
            if search[N_TRIED + k] < ENOUGH_PAIRS:
                one = _Block(seen.rows[k:], seen.weights[k:], seen.inverse_scale[k:])
                _try_own_pairs(one, P, parts[k:], system[k:], search[k:])


@compiled
def _try_own_pairs(seen: _Block, P: np.ndarray, parts: np.ndarray, system: np.ndarray, search: np.ndarray) -> None:
    """Try pairs of the views that saw the first point of the rows, spread evenly over all of them."""
    seeing = [v for v in range(len(P)) if seen.weights[v * BLOCK] > 0]
    total = len(seeing) * (len(seeing) - 1) // 2
    tries, index = min(total, MOST_PAIRS), 0
    for i in range(len(seeing)):
        for j in range(i):
            if (index + 1) * tries // total > index * tries // total:
                _try_pair(seen, P, parts, seeing[j], seeing[i], system, search, 1)
            index += 1


@compiled
def _try_pair(
    seen: _Block, P: np.ndarray, parts: np.ndarray, a: int, b: int, system: np.ndarray, search: np.ndarray, n: int
) -> None:
    part_a, part_b = parts[a * POINT : (a + 1) * POINT], parts[b * POINT : (b + 1) * POINT]
    for row in range(9):
        for k in range(n):
            system[row * BLOCK + k] = part_a[row * BLOCK + k] + part_b[row * BLOCK + k]
    _try_solution(seen, P, system, search, n)
    seen_a, seen_b = seen.weights[a * BLOCK :], seen.weights[b * BLOCK :]
    one, zero, most = np.float32(1), np.float32(0), np.float32(np.inf)
    for k in range(n):
        both = (seen_a[k] > 0) & (seen_b[k] > 0)
        search[N_TRIED + k] += one if both else zero
        search[TRIED_COST + k] = search[TRIED_COST + k] if both else most
    _keep_better(search, n)


@compiled
def _try_solution(seen: _Block, P: np.ndarray, system: np.ndarray, search: np.ndarray, n: int) -> None:
    """Try the solutions of the systems."""
    solve_systems(system, n)
    for k in range(3 * BLOCK):
        search[TRIED + k] = system[POINT + k]
    _cost(seen, P, search, n)


@compiled
def _keep_better(search: np.ndarray, n: int) -> None:
    """Let the point that was tried be the best where it does not cost more."""
    for k in range(n):
        better = search[TRIED_COST + k] < search[BEST_COST + k] * SLACK
        search[BEST + k] = search[TRIED + k] if better else search[BEST + k]
        search[BEST + BLOCK + k] = search[TRIED + BLOCK + k] if better else search[BEST + BLOCK + k]
        search[BEST + 2 * BLOCK + k] = search[TRIED + 2 * BLOCK + k] if better else search[BEST + 2 * BLOCK + k]
        search[BEST_COST + k] = search[TRIED_COST + k] if better else search[BEST_COST + k]


@compiled
def _cost(seen: _Block, P: np.ndarray, search: np.ndarray, n: int) -> None:
    """The robust cost of the points being tried; a view that has the point behind it counts as let go."""
    real, zero, far = search.dtype.type, np.float32(0), np.float32(FAR)
    for k in range(n):
        search[TRIED_COST + k] = real(0)
    for v in range(len(P)):
        view, weight = of_view(seen.rows, v), seen.weights[v * BLOCK :]
        p00, p01, p02, p03 = P[v, 0]
        p10, p11, p12, p13 = P[v, 1]
        p20, p21, p22, p23 = P[v, 2]
        for k in range(n):
            x, y, z = search[TRIED + k], search[TRIED + BLOCK + k], search[TRIED + 2 * BLOCK + k]
            depth = p20 * x + p21 * y + p22 * z + p23
            dx = np.float32(view[X + k] * depth - (p00 * x + p01 * y + p02 * z + p03))
            dy = np.float32(view[Y + k] * depth - (p10 * x + p11 * y + p12 * z + p13))
            w, depth = weight[k], np.float32(depth)
            # r^2 = d2 / depth^2, multiplied out: a single division.
            d2, depth2 = dx * dx + dy * dy, depth * depth
            d2 = d2 if depth > zero else far
            share = w * w * d2 / (depth2 + seen.inverse_scale[k] * d2)
            search[TRIED_COST + k] += share if w > zero else zero


@compiled
def _refine(seen: _Block, P: np.ndarray, system: np.ndarray, search: np.ndarray, steps: int, n: int) -> None:
    """Newton steps on the robust cost from the best points; the best of the points passed remain."""
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
    _cost(seen, P, search, n)
    _keep_better(search, n)


@compiled
def _advance(step: np.ndarray, search: np.ndarray, n: int) -> None:
    """Keep the point that was tried and go on from there, or, where it costs more, go half of the way back."""
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
    """Add one view's share of the cost of the points being tried and of the normal equations of a step from there.

    How far the ray misses the point is taken in the precision of the search, the step from it in single precision.
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
        # 1 / d and 1 / (1 + (r / reach)^2) from a single division.
        below = d * d + inverse_scale[k] * d2
        both = one / (d * below)
        inverse, kept, sure = below * both, d * d * d * both, weight[k]
        search[TRIED_COST + k] += sure * sure * d2 * d * both
        u, q, rx, ry = u * inverse, q * inverse, dx * inverse, dy * inverse
        w = sure * inverse * kept
        w = w * w
        # Newton's matrix, but for factors of kept that leave it positive: how the weight falls as the residual grows.
        bend = four * inverse_scale[k] * kept * kept * kept
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
