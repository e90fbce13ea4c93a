"""The linear method: normal equations of points, and their solution, in blocks.

The unknown point has to satisfy (x p3 - p1) X = 0 and (y p3 - p2) X = 0 in each view, where p1..p3 are the rows of
[R | t] (Hartley and Zisserman, Multiple View Geometry, 12.2). Divided by the point's depth their errors are errors in
the image.
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

# Rows of a system: xx, xy, xz, yy, yz, zz of the matrix, the right-hand side, and the solution.
RIGHT, POINT = 6 * BLOCK, 9 * BLOCK
ROWS_PER_SYSTEM = 12


@compiled
def linear_kernel(rays: np.ndarray, sigma: np.ndarray, P: np.ndarray, world: np.ndarray, points: np.ndarray) -> None:
    """Points (M, N, 3) from rays (M, V, N, 2): solved in single precision for the depths, then with them."""
    n_batches, n_views, n_points = sigma.shape
    batches, size = extent(n_points, n_views, len(P))
    flat, rows = np.empty(3 * ROOM), np.empty(ROWS_PER_VIEW * n_views * BLOCK)
    rows32, P32 = rows.astype(np.float32), P.astype(np.float32)
    system, system32 = np.empty(ROWS_PER_SYSTEM * BLOCK), np.empty(ROWS_PER_SYSTEM * BLOCK, np.float32)
    for first in range(0, n_batches, batches):
        g = first if len(P) > 1 else 0
        for start in range(0, n_points, size):
            span = (first, min(first + batches, n_batches), start, min(start + size, n_points))
            n = gather(rays, sigma, P[g], span, flat, rows)
            in_single(rows, rows32, n, n_views)
            solve_linear(rows32, P32[g], system32, WEIGHT, n)
            weigh_by_depth(rows32, P32[g], system32, rows, n)
            solve_linear(rows, P[g], system, OWN, n)
            drop_unseen(rows, system, system[POINT:], n, n_views)
            scatter(system, POINT, span, world[g], points)


@compiled
def solve_linear(rows: np.ndarray, P: np.ndarray, system: np.ndarray, weight: int, n: int) -> None:
    """Solve for the points from all views, each weighted by one of its rows."""
    clear(system, n)
    for v in range(len(P)):
        view = of_view(rows, v)
        add_view(view, view[weight:], P[v], system, n)
    solve_systems(system, n)


@compiled
def weigh_by_depth(rows32: np.ndarray, P32: np.ndarray, system32: np.ndarray, rows: np.ndarray, n: int) -> None:
    """Set the rows' own weights to 1 / (sigma depth) at the points that were solved for in single precision."""
    for v in range(len(P32)):
        view, view32 = of_view(rows, v), of_view(rows32, v)
        p20, p21, p22, p23 = P32[v, 2]
        for k in range(n):
            x, y, z = system32[POINT + k], system32[POINT + BLOCK + k], system32[POINT + 2 * BLOCK + k]
            w = view32[WEIGHT + k]
            view[OWN + k] = w / (p20 * x + p21 * y + p22 * z + p23) if w > 0 else w


@compiled
def clear(system: np.ndarray, n: int) -> None:
    """Set matrix and right-hand side to 0."""
    zero = system.dtype.type(0)
    for row in range(9):
        for k in range(n):
            system[row * BLOCK + k] = zero


@compiled
def add_view(view: np.ndarray, weight: np.ndarray, P: np.ndarray, system: np.ndarray, n: int) -> None:
    """Add one view's equations to the normal equations."""
    p00, p01, p02, p03 = P[0]
    p10, p11, p12, p13 = P[1]
    p20, p21, p22, p23 = P[2]
    for k in range(n):
        x, y, w = view[X + k], view[Y + k], weight[k]
        w = w * w
        a0, a1, a2, a3 = x * p20 - p00, x * p21 - p01, x * p22 - p02, x * p23 - p03
        b0, b1, b2, b3 = y * p20 - p10, y * p21 - p11, y * p22 - p12, y * p23 - p13
        system[k] += w * (a0 * a0 + b0 * b0)
        system[BLOCK + k] += w * (a0 * a1 + b0 * b1)
        system[2 * BLOCK + k] += w * (a0 * a2 + b0 * b2)
        system[3 * BLOCK + k] += w * (a1 * a1 + b1 * b1)
        system[4 * BLOCK + k] += w * (a1 * a2 + b1 * b2)
        system[5 * BLOCK + k] += w * (a2 * a2 + b2 * b2)
        system[RIGHT + k] -= w * (a0 * a3 + b0 * b3)
        system[RIGHT + BLOCK + k] -= w * (a1 * a3 + b1 * b3)
        system[RIGHT + 2 * BLOCK + k] -= w * (a2 * a3 + b2 * b3)


@compiled
def solve_systems(system: np.ndarray, n: int) -> None:
    """Solve the symmetric 3 x 3 systems in closed form; not finite where singular."""
    for k in range(n):
        a, b, c = system[k], system[BLOCK + k], system[2 * BLOCK + k]
        d, e, f = system[3 * BLOCK + k], system[4 * BLOCK + k], system[5 * BLOCK + k]
        x, y, z = system[RIGHT + k], system[RIGHT + BLOCK + k], system[RIGHT + 2 * BLOCK + k]
        aa, bb, cc = d * f - e * e, c * e - b * f, b * e - c * d
        dd, ee, ff = a * f - c * c, b * c - a * e, a * d - b * b
        determinant = a * aa + b * bb + c * cc
        system[POINT + k] = (aa * x + bb * y + cc * z) / determinant
        system[POINT + BLOCK + k] = (bb * x + dd * y + ee * z) / determinant
        system[POINT + 2 * BLOCK + k] = (cc * x + ee * y + ff * z) / determinant


@compiled
def drop_unseen(rows: np.ndarray, room: np.ndarray, point: np.ndarray, n: int, n_views: int) -> None:
    """Set points that fewer than two views saw to NaN; uses one row of room."""
    for k in range(n):
        room[k] = 0.0
    for v in range(n_views):
        view = of_view(rows, v)
        for k in range(n):
            room[k] += 1.0 if view[WEIGHT + k] > 0 else 0.0
    for k in range(n):
        point[k] = point[k] if room[k] > 1.5 else np.nan
