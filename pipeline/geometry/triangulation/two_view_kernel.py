"""The optimal point of two views, and the geometric median of the points of all consecutive pairs, in blocks."""

import numpy as np

from pipeline.compiled import compiled
from pipeline.geometry.triangulation.block_kernels import BLOCK, ROWS_PER_VIEW, X, Y, extent, gather, of_view, scatter
from pipeline.geometry.triangulation.linear_kernel import POINT, ROWS_PER_SYSTEM, solve_linear

# Lindstrom's iteration is exact to rounding after two or three steps for any image points of real cameras.
CORRECTION_STEPS = 4
MEDIAN_STEPS = 30
# Rows of a geometric median: the point, and the sums of one step.
ROWS_PER_MEDIAN = 7


@compiled
def pairwise_median_kernel(
    points_norm: np.ndarray, sigma: np.ndarray, P: np.ndarray, world: np.ndarray, points: np.ndarray
) -> None:
    """Write points (M, N, 3) from image points (M, V, N, 2): geometric medians of the points of consecutive views."""
    n_batches, n_views, n_points = sigma.shape
    batches, size = extent(n_points, len(P))
    rows, weights = np.empty(ROWS_PER_VIEW * n_views * BLOCK), np.empty((n_views + 1) * BLOCK, np.float32)
    corrected, both, seen = np.zeros(2 * ROWS_PER_VIEW * BLOCK), np.empty(2 * BLOCK, np.float32), weights[-BLOCK:]
    system = np.empty(ROWS_PER_SYSTEM * BLOCK)
    found, median = np.empty(3 * max(n_views - 1, 1) * BLOCK), np.empty(ROWS_PER_MEDIAN * BLOCK)
    E = np.empty((len(P), max(n_views - 1, 1), 3, 3))
    for g in range(len(P)):
        for a in range(n_views - 1):
            E[g, a] = _essential(P[g, a], P[g, a + 1])
    for first in range(0, n_batches, batches):
        g = first if len(P) > 1 else 0
        for start in range(0, n_points, size):
            span = (first, min(first + batches, n_batches), start, min(start + size, n_points))
            n = gather(points_norm, sigma, P[g], span, rows, weights)
            for a in range(n_views - 1):
                _correct(rows[ROWS_PER_VIEW * a * BLOCK :], weights[a * BLOCK :], E[g, a], corrected, both, n)
                solve_linear(corrected, both, P[g, a : a + 2], system, n)
                found[3 * a * BLOCK : 3 * (a + 1) * BLOCK] = system[POINT : POINT + 3 * BLOCK]
            _geometric_median(found, n_views - 1, median, n)
            scatter(median, seen, span, world[g], points)


@compiled
def _essential(Pa: np.ndarray, Pb: np.ndarray) -> np.ndarray:
    """The matrix E of two views for which x_a E x_b = 0."""
    R, t = np.zeros((3, 3)), np.empty(3)
    for i in range(3):
        for j in range(3):
            for k in range(3):
                R[i, j] += Pa[i, k] * Pb[j, k]
        t[i] = Pa[i, 3] - R[i, 0] * Pb[0, 3] - R[i, 1] * Pb[1, 3] - R[i, 2] * Pb[2, 3]
    E = np.empty((3, 3))
    for j in range(3):
        E[0, j] = t[1] * R[2, j] - t[2] * R[1, j]
        E[1, j] = t[2] * R[0, j] - t[0] * R[2, j]
        E[2, j] = t[0] * R[1, j] - t[1] * R[0, j]
    return E


@compiled
def _correct(
    rows: np.ndarray, weights: np.ndarray, E: np.ndarray, corrected: np.ndarray, both: np.ndarray, n: int
) -> None:
    """Move the image points of two views by the least sum of squares, in units of sigma, until their rays meet.

    Lindstrom, Triangulation made easy, CVPR 2010, algorithm niter1. Points that one view did not see get no weight.
    """
    view_a, view_b = of_view(rows, 0), of_view(rows, 1)
    into_a, into_b = of_view(corrected, 0), of_view(corrected, 1)
    for k in range(n):
        wa, wb = np.float64(weights[k]), np.float64(weights[BLOCK + k])
        seen = (wa > 0) & (wb > 0)
        sa, sb = 1 / (wa if seen else 1.0), 1 / (wb if seen else 1.0)
        # E between coordinates in units of sigma.
        e00, e01, e10, e11 = E[0, 0] * sa * sb, E[0, 1] * sa * sb, E[1, 0] * sa * sb, E[1, 1] * sa * sb
        e02, e12, e20, e21, e22 = E[0, 2] * sa, E[1, 2] * sa, E[2, 0] * sb, E[2, 1] * sb, E[2, 2]
        xa, ya, xb, yb = view_a[X + k] / sa, view_a[Y + k] / sa, view_b[X + k] / sb, view_b[Y + k] / sb
        c = xa * (e00 * xb + e01 * yb + e02) + ya * (e10 * xb + e11 * yb + e12) + e20 * xb + e21 * yb + e22
        ua, va, ub, vb = xa, ya, xb, yb
        for _ in range(CORRECTION_STEPS):
            na0, na1 = e00 * ub + e01 * vb + e02, e10 * ub + e11 * vb + e12
            nb0, nb1 = e00 * ua + e10 * va + e20, e01 * ua + e11 * va + e21
            a = na0 * (e00 * nb0 + e01 * nb1) + na1 * (e10 * nb0 + e11 * nb1)
            b = 0.5 * (na0 * na0 + na1 * na1 + nb0 * nb0 + nb1 * nb1)
            root = b + np.sqrt(max(b * b - a * c, 0.0))
            step = c / root if root > 0 else 0.0
            ua, va, ub, vb = xa - step * na0, ya - step * na1, xb - step * nb0, yb - step * nb1
        into_a[X + k], into_a[Y + k], into_b[X + k], into_b[Y + k] = ua * sa, va * sa, ub * sb, vb * sb
        both[k] = both[BLOCK + k] = 1.0 if seen else 0.0


@compiled
def _geometric_median(found: np.ndarray, count: int, median: np.ndarray, n: int) -> None:
    """The point with the least sum of distances from `count` points, each in three rows, by Weiszfeld's iteration."""
    for k in range(3 * BLOCK):
        median[k] = 0.0
    for step in range(MEDIAN_STEPS + 1 if count > 1 else 1):
        for k in range(3 * BLOCK, ROWS_PER_MEDIAN * BLOCK):
            median[k] = 0.0
        for c in range(count):
            one = found[3 * c * BLOCK : 3 * (c + 1) * BLOCK]
            for k in range(n):
                x, y, z = one[k], one[BLOCK + k], one[2 * BLOCK + k]
                dx, dy, dz = x - median[k], y - median[BLOCK + k], z - median[2 * BLOCK + k]
                there = abs(x) + abs(y) + abs(z) < np.inf
                # The first step gives the mean.
                w = 1 / max(np.sqrt(dx * dx + dy * dy + dz * dz), 1e-12) if step > 0 else 1.0
                w = w if there else 0.0
                median[3 * BLOCK + k] += w * x if there else 0.0
                median[4 * BLOCK + k] += w * y if there else 0.0
                median[5 * BLOCK + k] += w * z if there else 0.0
                median[6 * BLOCK + k] += w
        for k in range(n):
            w = median[6 * BLOCK + k]
            median[k], median[BLOCK + k] = median[3 * BLOCK + k] / w, median[4 * BLOCK + k] / w
            median[2 * BLOCK + k] = median[5 * BLOCK + k] / w
