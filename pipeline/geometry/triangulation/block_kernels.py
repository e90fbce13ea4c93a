"""Points in blocks: the input and output layout of the triangulation kernels.

A kernel works on up to BLOCK points at a time. Each coordinate is a row: row r of a block is `rows[r * BLOCK :]`, one
flat array for all rows. The constant row length lets the compiler prove that rows do not overlap, and so vectorise a
loop over the points of a row. Normalised image points take ROWS_PER_VIEW rows per view, in double precision; their
weights take one row per view, in single precision, in a separate array.
"""

import numpy as np

from pipeline.compiled import compiled

BLOCK = 256
# Rows are processed in steps of this many points, a multiple of the widest vector instructions.
LANES = 16
# The rows of a view: x and y of its points.
ROWS_PER_VIEW = 2
X, Y = 0, BLOCK
# Points further from the optical axis than this, in focal lengths, are not image points of a camera.
WIDEST = 1e6


@compiled
def extent(n_points: int, n_rigs: int) -> tuple[int, int]:
    """The number of batches that a block spans, and the number of points of each."""
    size = max(1, min(n_points, BLOCK))
    return BLOCK // size if n_rigs == 1 else 1, size


@compiled
def of_view(rows: np.ndarray, v: int) -> np.ndarray:
    """The rows of one view's image points."""
    return rows[ROWS_PER_VIEW * v * BLOCK : ROWS_PER_VIEW * (v + 1) * BLOCK]


@compiled
def gather(
    points_norm: np.ndarray, sigma: np.ndarray, P: np.ndarray, span: tuple[int, int, int, int], rows: np.ndarray,
    weights: np.ndarray,
) -> int:  # fmt: skip
    """Fill the rows with the image points of a span of batches and points; the number of points in whole steps.

    Each view's row of weights holds 1 / sigma, 0 where the view did not see the point. One more row holds the number of
    views that saw it.
    """
    first, last, start, stop = span
    n_views, n_points, n = points_norm.shape[1], points_norm.shape[2], stop - start
    points_norm, sigma = points_norm[first:last].reshape(-1), sigma[first:last].reshape(-1)
    filled = (last - first) * n
    full = min((filled + LANES - 1) // LANES * LANES, BLOCK)
    seen, one, zero, most = weights[n_views * BLOCK :], np.float32(1), np.float32(0), np.float32(np.inf)
    for k in range(full):
        seen[k] = zero
    # In memory order.
    for b in range(last - first):
        for v in range(n_views):
            at, to = (b * n_views + v) * n_points + start, b * n
            run, spread, view, weight = (
                points_norm[2 * at :],
                sigma[at:],
                of_view(rows, v)[to:],
                weights[v * BLOCK + to :],
            )
            for k in range(n):
                x, y, w = np.float64(run[2 * k]), np.float64(run[2 * k + 1]), one / np.float32(spread[k])
                # False for NaN too.
                good = (abs(x) < WIDEST) & (abs(y) < WIDEST) & (w < most) & (w > zero)
                view[X + k] = x if good else 0.0
                view[Y + k] = y if good else 0.0
                weight[k] = w if good else zero
    for v in range(n_views):
        view, weight = of_view(rows, v), weights[v * BLOCK : (v + 1) * BLOCK]
        has_extrinsics = P[v, 2, 0] != 0 or P[v, 2, 1] != 0 or P[v, 2, 2] != 0
        for k in range(filled if has_extrinsics else 0, full):
            view[X + k] = view[Y + k] = 0.0
            weight[k] = zero
        for k in range(full):
            seen[k] += one if weight[k] > zero else zero
    return full


@compiled
def scatter(
    rows: np.ndarray, seen: np.ndarray, span: tuple[int, int, int, int], world: np.ndarray, points: np.ndarray
) -> None:
    """Write the points of the first three rows; NaN where they are not finite or fewer than two views saw them."""
    first, last, start, stop = span
    x0, y0, z0, unit = world
    # A span is several whole batches or a part of one batch, so its points are contiguous.
    n, at, two = (last - first) * (stop - start), first * points.shape[1] + start, np.float32(2)
    run = points.reshape(-1)[3 * at : 3 * (at + n)]
    for k in range(n):
        x, y, z = rows[k] * unit + x0, rows[k + BLOCK] * unit + y0, rows[k + 2 * BLOCK] * unit + z0
        good = (abs(x) + abs(y) + abs(z) < np.inf) & (seen[k] >= two)
        run[3 * k] = x if good else np.nan
        run[3 * k + 1] = y if good else np.nan
        run[3 * k + 2] = z if good else np.nan
