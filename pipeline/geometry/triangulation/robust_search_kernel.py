"""Search of the robust method, compiled: if the views do not agree, the best of the points from pairs of views.

The cost of a view whose image point lies r from the projection is (r / sigma)^2 / (1 + (r / scale)^2) (Geman and
McClure). The kernel's scale is the same for all views of a point: the scale of the view with the smallest sigma. The
cost of an outlier, (scale / sigma)^2, grows with the view's confidence.
"""

from typing import NamedTuple

import numpy as np

from pipeline.compiled import compiled
from pipeline.geometry.triangulation.block_kernels import BLOCK, LANES, X, Y, of_view
from pipeline.geometry.triangulation.linear_kernel import POINT, add_view, clear, solve_systems

# A point is searched for outliers if its views cost more than this each at the point of the linear method.
AGREED = 3.0
# Costs are compared with a tolerance of the precision in which they are summed.
SLACK = np.float32(1 + 1e-6)
# For a point seen by fewer than ENOUGH_PAIRS of the common pairs, up to MAX_PAIRS pairs of its own views are tried.
ENOUGH_PAIRS, MAX_PAIRS = 10, 36
# Rows of a search: the best point so far and its cost, the tried point and its cost, the number of pairs tried.
BEST, BEST_COST, TRIED, TRIED_COST, N_TRIED = 0, 3 * BLOCK, 4 * BLOCK, 7 * BLOCK, 8 * BLOCK
ROWS_PER_SEARCH = 9
# The squared distance of an image point from a projection that lies behind the camera.
FAR = 1e12


class Block(NamedTuple):
    """Image points and weights of the points of a block."""

    rows: np.ndarray  # of image points, in double or single precision
    weights: np.ndarray  # as `gather` fills them
    inverse_scale: np.ndarray  # a row of 1 / scale^2


@compiled
def begin(search: np.ndarray, n: int) -> None:
    """Start a search: no best points and no pairs tried."""
    for k in range(n):
        search[BEST + k] = search[BEST + BLOCK + k] = search[BEST + 2 * BLOCK + k] = search[N_TRIED + k] = 0
        search[BEST_COST + k] = np.inf


@compiled
def search_doubtful(
    seen: Block, doubtful: Block, P: np.ndarray, pairs: np.ndarray, system: np.ndarray, search: np.ndarray, n: int
) -> None:
    """Search for better points if the views do not agree on the best ones; `doubtful` is a buffer."""
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
def _search(seen: Block, P: np.ndarray, pairs: np.ndarray, system: np.ndarray, search: np.ndarray, n: int) -> None:
    """Find the best of the points from pairs of views."""
    parts = np.empty(len(P) * POINT, np.float32)
    begin(search, n)
    for v in range(len(P)):
        part = parts[v * POINT : (v + 1) * POINT]
        clear(part, n)
        add_view(of_view(seen.rows, v), seen.weights[v * BLOCK :], P[v], part, n)
    for s in range(len(pairs)):
        _try_pair(seen, P, parts, pairs[s, 0], pairs[s, 1], system, search, n)
    if len(pairs) < len(P) * (len(P) - 1) // 2:
        for k in range(n):
            if search[N_TRIED + k] < ENOUGH_PAIRS:
                one = Block(seen.rows[k:], seen.weights[k:], seen.inverse_scale[k:])
                _try_own_pairs(one, P, parts[k:], system[k:], search[k:])


@compiled
def _try_own_pairs(seen: Block, P: np.ndarray, parts: np.ndarray, system: np.ndarray, search: np.ndarray) -> None:
    """Try pairs of the views that saw the first point of the rows, spread evenly over all such pairs."""
    seeing = [v for v in range(len(P)) if seen.weights[v * BLOCK] > 0]
    total = len(seeing) * (len(seeing) - 1) // 2
    tries, index = min(total, MAX_PAIRS), 0
    for i in range(len(seeing)):
        for j in range(i):
            if (index + 1) * tries // total > index * tries // total:
                _try_pair(seen, P, parts, seeing[j], seeing[i], system, search, 1)
            index += 1


@compiled
def _try_pair(
    seen: Block, P: np.ndarray, parts: np.ndarray, a: int, b: int, system: np.ndarray, search: np.ndarray, n: int
) -> None:
    part_a, part_b = parts[a * POINT : (a + 1) * POINT], parts[b * POINT : (b + 1) * POINT]
    for row in range(9):
        for k in range(n):
            system[row * BLOCK + k] = part_a[row * BLOCK + k] + part_b[row * BLOCK + k]
    try_solution(seen, P, system, search, n)
    seen_a, seen_b = seen.weights[a * BLOCK :], seen.weights[b * BLOCK :]
    one, zero, most = np.float32(1), np.float32(0), np.float32(np.inf)
    for k in range(n):
        both = (seen_a[k] > 0) & (seen_b[k] > 0)
        search[N_TRIED + k] += one if both else zero
        search[TRIED_COST + k] = search[TRIED_COST + k] if both else most
    keep_better(search, n)


@compiled
def try_solution(seen: Block, P: np.ndarray, system: np.ndarray, search: np.ndarray, n: int) -> None:
    """Try the solutions of the systems."""
    solve_systems(system, n)
    for k in range(3 * BLOCK):
        search[TRIED + k] = system[POINT + k]
    robust_cost(seen, P, search, n)


@compiled
def keep_better(search: np.ndarray, n: int) -> None:
    """Make the tried point the best one if it does not cost more."""
    for k in range(n):
        better = search[TRIED_COST + k] < search[BEST_COST + k] * SLACK
        search[BEST + k] = search[TRIED + k] if better else search[BEST + k]
        search[BEST + BLOCK + k] = search[TRIED + BLOCK + k] if better else search[BEST + BLOCK + k]
        search[BEST + 2 * BLOCK + k] = search[TRIED + 2 * BLOCK + k] if better else search[BEST + 2 * BLOCK + k]
        search[BEST_COST + k] = search[TRIED_COST + k] if better else search[BEST_COST + k]


@compiled
def robust_cost(seen: Block, P: np.ndarray, search: np.ndarray, n: int) -> None:
    """Set the robust cost of the tried points; a view with the point behind it counts as an outlier."""
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
