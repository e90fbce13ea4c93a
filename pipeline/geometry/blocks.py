"""Points in blocks: how the kernels of triangulation are compiled, fed and read.

A kernel works on up to BLOCK points at a time. Each coordinate is a row: row r of a block is `rows[r * BLOCK :]`, one
flat array for all rows, whose constant row length lets the compiler prove that rows do not overlap, so that it turns
a loop over the points of a row into vector instructions. Observations take ROWS_PER_VIEW rows a view.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np

BLOCK = 128
# Observations of a block that are taken apart in one go.
ROOM = 4096
# Rows are worked on in steps of this many points, whole vectors of the widest instructions.
LANES = 16
# Of a view: x, y and 1 / sigma of its rays (0 where it did not see the point), and a row for the kernel's own use.
ROWS_PER_VIEW = 4
X, Y, WEIGHT, OWN = 0, BLOCK, 2 * BLOCK, 3 * BLOCK
# Rays further from the optical axis than this are not rays of a camera.
WIDEST = 1e6

# Kept on disk, so that only the first run on a machine compiles; divisions by zero give infinity, as in numpy. NaN
# keeps its meaning, which rules the other liberties of floating-point optimisation out.
_FAST = {"contract", "nsz", "arcp"}
compiled = numba.njit(cache=True, error_model="numpy", fastmath=_FAST)
# For functions too long for the compiler to inline by itself: a call keeps a loop from becoming vector instructions.
inlined = numba.njit(inline="always", error_model="numpy", fastmath=_FAST)


@dataclass(frozen=True)
class Rigs:
    """One rig for all points, or one for each batch of them, moved and scaled so that its cameras lie about 0."""

    P: np.ndarray  # (G, V, 3, 4) rows of [R | t]; zero where a view has no pose
    world: np.ndarray  # (G, 4): the middle of the rig's cameras, and how long a unit of P is

    @classmethod
    def of(cls, R: np.ndarray, t: np.ndarray) -> "Rigs":
        """Of rotations (G, V, 3, 3) and translations (G, V, 3), NaN where a view has no pose."""
        posed = np.isfinite(R).all((-1, -2)) & np.isfinite(t).all(-1)
        R, t = (np.where(posed.reshape(*posed.shape, *[1] * k), x, 0.0) for k, x in ((2, R), (1, t)))
        n = np.maximum(posed.sum(-1, keepdims=True), 1)
        centers = -(np.swapaxes(R, -1, -2) @ t[..., None])[..., 0]
        middle = centers.sum(-2) / n
        away = np.where(posed, np.linalg.norm(centers - middle[:, None], axis=-1), 0.0)
        scale = away.sum(-1, keepdims=True) / n
        scale = np.where(scale > 0, scale, 1.0)
        moved = (t + (R @ middle[:, None, :, None])[..., 0]) / scale[..., None]
        return cls(np.concatenate([R, moved[..., None]], -1), np.concatenate([middle, scale], -1))


def solve(
    kernel: Callable[..., None],
    rays: np.ndarray,
    sigma: np.ndarray,
    R: np.ndarray,
    t: np.ndarray,
    *options: np.ndarray | float,
) -> np.ndarray:
    """Points (..., N, 3) that a kernel makes of rays (..., N, V, 2), sigma (..., N, V) and one rig or many (..., V)."""
    n_points, n_views = rays.shape[-3:-1]
    batch = rays.shape[:-3]
    # The captures' own order, frames of views of joints, which needs no copy if the arrays come from there.
    n_batches = int(np.prod(batch))
    x = as_floats(np.swapaxes(rays, -3, -2)).reshape(n_batches, n_views, n_points, 2)
    s = as_floats(np.swapaxes(np.broadcast_to(sigma, rays.shape[:-1]), -2, -1))
    same = int(np.prod(R.shape[:-3])) == 1
    G = () if same else batch
    rigs = Rigs.of(
        np.broadcast_to(R.reshape(R.shape[-3:]) if same else R, (*G, n_views, 3, 3)).reshape(-1, n_views, 3, 3),
        np.broadcast_to(t.reshape(t.shape[-2:]) if same else t, (*G, n_views, 3)).reshape(-1, n_views, 3),
    )
    points = np.empty((len(x), n_points, 3))
    if points.size:
        kernel(x, s.reshape(x.shape[:3]), rigs.P, rigs.world, points, *options)
    return points.reshape(*batch, n_points, 3)


def as_floats(array: np.ndarray) -> np.ndarray:
    """Contiguous, in the precision it has; the kernels compute in double precision either way."""
    return np.ascontiguousarray(array, None if array.dtype == np.float32 else float)


@compiled
def extent(n_points: int, n_views: int, n_rigs: int) -> tuple[int, int]:
    """How many batches a block spans, and how many points of each."""
    size = max(1, min(n_points, BLOCK, ROOM // n_views))
    return max(1, min(BLOCK, ROOM // n_views) // size) if n_rigs == 1 and size == n_points else 1, size


@compiled
def of_view(rows: np.ndarray, v: int) -> np.ndarray:
    """The rows of one view's observations."""
    return rows[ROWS_PER_VIEW * v * BLOCK : ROWS_PER_VIEW * (v + 1) * BLOCK]


@compiled
def gather(
    rays: np.ndarray, sigma: np.ndarray, P: np.ndarray, span: tuple[int, int, int, int], flat: np.ndarray,
    rows: np.ndarray,
) -> int:  # fmt: skip
    """Fill the rows with the observations of batches and points of a span; the number of points, in whole steps.

    `flat` (3 * ROOM) holds the observations in the order in which they lie in memory: taken apart there in one long
    loop, they are copied to their rows in runs.
    """
    first, last, start, stop = span
    n_views, n_points, n = rays.shape[1], rays.shape[2], stop - start
    if n == n_points:
        _take_apart(rays[first:last].reshape(-1), sigma[first:last].reshape(-1), flat)
    else:
        for v in range(n_views):
            _take_apart(rays[first, v, start:stop].reshape(-1), sigma[first, v, start:stop], flat[v * n :])
    filled = (last - first) * n
    full = min((filled + LANES - 1) // LANES * LANES, BLOCK)
    for v in range(n_views):
        posed = P[v, 2, 0] != 0 or P[v, 2, 1] != 0 or P[v, 2, 2] != 0
        view = of_view(rows, v)
        for b in range(last - first):
            _copy_run(flat[(b * n_views + v) * n :], view[b * n :], n)
        for k in range(filled if posed else 0, full):
            view[X + k] = view[Y + k] = view[WEIGHT + k] = 0.0
    return full


@compiled
def _take_apart(rays: np.ndarray, sigma: np.ndarray, flat: np.ndarray) -> None:
    for k in range(len(sigma)):
        x, y, w = np.float64(rays[2 * k]), np.float64(rays[2 * k + 1]), 1.0 / np.float64(sigma[k])
        # False for NaN, too.
        good = (abs(x) < WIDEST) & (abs(y) < WIDEST) & (w < np.inf) & (w > 0)
        flat[k] = x if good else 0.0
        flat[ROOM + k] = y if good else 0.0
        flat[2 * ROOM + k] = w if good else 0.0


@compiled
def _copy_run(flat: np.ndarray, view: np.ndarray, n: int) -> None:
    for k in range(n):
        view[X + k], view[Y + k], view[WEIGHT + k] = flat[k], flat[ROOM + k], flat[2 * ROOM + k]


@compiled
def in_single(rows: np.ndarray, rows32: np.ndarray, n: int, n_views: int) -> None:
    """Copy the views' rows in single precision."""
    for v in range(n_views):
        view, view32 = of_view(rows, v), of_view(rows32, v)
        for row in range(ROWS_PER_VIEW):
            for k in range(n):
                view32[row * BLOCK + k] = view[row * BLOCK + k]


@compiled
def scatter(rows: np.ndarray, at: int, span: tuple[int, int, int, int], world: np.ndarray, points: np.ndarray) -> None:
    """Write the points in three rows from `at` on; NaN where they are not finite."""
    first, last, start, stop = span
    x0, y0, z0, unit = world
    rows = rows[at : at + 3 * BLOCK]
    k = 0
    for b in range(first, last):
        for j in range(start, stop):
            x, y, z = rows[k] * unit + x0, rows[k + BLOCK] * unit + y0, rows[k + 2 * BLOCK] * unit + z0
            good = abs(x) + abs(y) + abs(z) < np.inf
            points[b, j, 0] = x if good else np.nan
            points[b, j, 1] = y if good else np.nan
            points[b, j, 2] = z if good else np.nan
            k += 1
