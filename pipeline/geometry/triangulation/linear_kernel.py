"""The linear method: normal equations of points, and their solution, in blocks.

The unknown point has to satisfy (x p3 - p1) X = 0 and (y p3 - p2) X = 0 in each view, where p1..p3 are the rows of
[R | t] (Hartley and Zisserman, Multiple View Geometry, 12.2). Divided by the point's depth, the errors of these
equations are errors in the image.
"""

import numpy as np

from pipeline.compiled import compiled
from pipeline.geometry.triangulation.block_kernels import BLOCK, ROWS_PER_VIEW, X, Y, extent, gather, of_view, scatter

# Rows of a system: xx, xy, xz, yy, yz, zz of the matrix, the right-hand side, and the solution.
RIGHT, POINT = 6 * BLOCK, 9 * BLOCK
ROWS_PER_SYSTEM = 12


@compiled
def linear_kernel(
    points_norm: np.ndarray, sigma: np.ndarray, P: np.ndarray, world: np.ndarray, points: np.ndarray
) -> None:
    """Write points (M, N, 3) from image points (M, V, N, 2): single precision for the depths, then double."""
    n_batches, n_views, n_points = sigma.shape
    batches, size = extent(n_points, len(P))
    rows, weights = np.empty(ROWS_PER_VIEW * n_views * BLOCK), np.empty((n_views + 1) * BLOCK, np.float32)
    by_depth, seen, P32 = np.empty(n_views * BLOCK, np.float32), weights[n_views * BLOCK :], P.astype(np.float32)
    system, system32 = np.empty(ROWS_PER_SYSTEM * BLOCK), np.empty(ROWS_PER_SYSTEM * BLOCK, np.float32)
    for first in range(0, n_batches, batches):
        g = first if len(P) > 1 else 0
        for start in range(0, n_points, size):
            span = (first, min(first + batches, n_batches), start, min(start + size, n_points))
            n = gather(points_norm, sigma, P[g], span, rows, weights)
            solve_linear(rows, weights, P32[g], system32, n)
            _weigh_by_depth(weights, P32[g], system32[POINT:], by_depth, n)
            solve_linear(rows, by_depth, P[g], system, n)
            scatter(system[POINT:], seen, span, world[g], points)


@compiled
def solve_linear(rows: np.ndarray, weights: np.ndarray, P: np.ndarray, system: np.ndarray, n: int) -> None:
    """Solve for the points from all views, in the system's precision."""
    clear(system, n)
    for v in range(len(P)):
        add_view(of_view(rows, v), weights[v * BLOCK :], P[v], system, n)
    solve_systems(system, n)


@compiled
def _weigh_by_depth(weights: np.ndarray, P: np.ndarray, point: np.ndarray, by_depth: np.ndarray, n: int) -> None:
    """Divide the weights by the depth of the points."""
    for v in range(len(P)):
        weight, into = weights[v * BLOCK :], by_depth[v * BLOCK : (v + 1) * BLOCK]
        p20, p21, p22, p23 = P[v, 2]
        for k in range(n):
            depth = p20 * point[k] + p21 * point[BLOCK + k] + p22 * point[2 * BLOCK + k] + p23
            into[k] = weight[k] / depth if weight[k] > 0 else weight[k]


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
    real = system.dtype.type
    p00, p01, p02, p03 = P[0]
    p10, p11, p12, p13 = P[1]
    p20, p21, p22, p23 = P[2]
    for k in range(n):
        x, y, w = real(view[X + k]), real(view[Y + k]), real(weight[k])
        w = w * w
        a0, a1, a2, a3 = x * p20 - p00, x * p21 - p01, x * p22 - p02, x * p23 - p03
        b0, b1, b2, b3 = y * p20 - p10, y * p21 - p11, y * p22 - p12, y * p23 - p13
        u0, u1, u2, v0, v1, v2 = w * a0, w * a1, w * a2, w * b0, w * b1, w * b2
        system[k] += u0 * a0 + v0 * b0
        system[BLOCK + k] += u0 * a1 + v0 * b1
        system[2 * BLOCK + k] += u0 * a2 + v0 * b2
        system[3 * BLOCK + k] += u1 * a1 + v1 * b1
        system[4 * BLOCK + k] += u1 * a2 + v1 * b2
        system[5 * BLOCK + k] += u2 * a2 + v2 * b2
        system[RIGHT + k] -= u0 * a3 + v0 * b3
        system[RIGHT + BLOCK + k] -= u1 * a3 + v1 * b3
        system[RIGHT + 2 * BLOCK + k] -= u2 * a3 + v2 * b3


@compiled
def solve_systems(system: np.ndarray, n: int) -> None:
    """Solve the symmetric 3 x 3 systems in closed form; the result is not finite for singular systems."""
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
