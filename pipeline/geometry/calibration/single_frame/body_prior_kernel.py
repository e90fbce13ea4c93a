"""Inner loops of the adjustment of one frame's rig and points to a person's segment lengths, compiled.

Points, cameras and their derivatives are those of bundle_kernels. All unknowns are solved for at once, because segments
couple the points: first 6 unknowns of each camera, then 3 of each point.

The prior has rows: row k expects the logarithm of the length of segment rows[k, 0], less that of segment rows[k, 1]
unless that is -1, to be expected[k] with the standard deviation 1 / inverse_std[k].
"""

import numpy as np

from pipeline.compiled import compiled
from pipeline.geometry.calibration.bundle_kernels import cost, linearise, move_cameras, residuals, solve

STEPS = 15
ENOUGH = 1e-4  # relative decrease of the cost below which the iteration ends
SHORTEST2 = 1e-12  # least squared length of a segment


@compiled
def descend(
    points_norm: np.ndarray, inverse_sigma: np.ndarray, R: np.ndarray, t: np.ndarray, X: np.ndarray, width: float,
    segments: np.ndarray, rows: np.ndarray, expected: np.ndarray, inverse_std: np.ndarray,
) -> float:  # fmt: skip
    """Levenberg-Marquardt in place; return the final cost."""
    N, V = inverse_sigma.shape
    first = 6 * V
    H, g = np.empty((first + 3 * N, first + 3 * N)), np.empty(first + 3 * N)
    residual = np.empty((N, V, 2))
    R_new, t_new, X_new = R.copy(), t.copy(), X.copy()
    focal = np.ones(V)
    residuals(points_norm, inverse_sigma, R, t, X, focal, residual)
    now = width * width * cost(residual, width) + _prior_cost(X, segments, rows, expected, inverse_std)
    damping = 1e-3
    for _ in range(STEPS):
        normal_equations(points_norm, inverse_sigma, R, t, X, width, segments, rows, expected, inverse_std, H, g)
        for i in range(len(g)):
            H[i, i] = H[i, i] * (1 + damping) if H[i, i] > 0 else 1.0
        step = solve(H, g)
        move_cameras(R, t, step, 6, R_new, t_new)
        X_new[:] = X + step[first:].reshape(N, 3)
        residuals(points_norm, inverse_sigma, R_new, t_new, X_new, focal, residual)
        new = width * width * cost(residual, width) + _prior_cost(X_new, segments, rows, expected, inverse_std)
        if not new <= now:
            damping *= 10
            continue
        fall, now, damping = now - new, new, damping / 10
        R[:], t[:], X[:] = R_new, t_new, X_new
        if fall <= ENOUGH * now:
            break
    return now


@compiled
def normal_equations(
    points_norm: np.ndarray, inverse_sigma: np.ndarray, R: np.ndarray, t: np.ndarray, X: np.ndarray, width: float,
    segments: np.ndarray, rows: np.ndarray, expected: np.ndarray, inverse_std: np.ndarray, H: np.ndarray, g: np.ndarray,
) -> None:  # fmt: skip
    """Write the normal equations of the image points and of the prior: cameras first, then points."""
    first = 6 * len(R)
    H[:] = 0.0
    g[:] = 0.0
    A, P, row = np.zeros((2, 8)), np.zeros((2, 3)), np.empty(9)
    for n in range(len(X)):
        for v in range(len(R)):
            if inverse_sigma[n, v] == 0 or not linearise(
                points_norm[n, v], inverse_sigma[n, v], R[v], t[v], X[n], 1.0, 1 / (width * width), A, P
            ):
                continue
            c, p = 6 * v, first + 3 * n
            for k in range(2):
                row[:6], row[6:] = A[k, :6], P[k]
                for i in range(9):
                    a = c + i if i < 6 else p + i - 6
                    g[a] += row[i] * A[k, 7]
                    for j in range(9):
                        H[a, c + j if j < 6 else p + j - 6] += row[i] * row[j]
    _add_prior(X, segments, rows, expected, inverse_std, first, H, g)


@compiled
def _log_length(X: np.ndarray, segment: np.ndarray) -> float:
    squared = 0.0
    for i in range(3):
        squared += (X[segment[1], i] - X[segment[0], i]) ** 2
    return 0.5 * np.log(max(squared, SHORTEST2))


@compiled
def _miss(X: np.ndarray, segments: np.ndarray, row: np.ndarray, expected: float, inverse_std: float) -> float:
    """The residual of a row of the prior, in standard deviations."""
    found = _log_length(X, segments[row[0]])
    if row[1] >= 0:
        found -= _log_length(X, segments[row[1]])
    return (expected - found) * inverse_std


@compiled
def _prior_cost(
    X: np.ndarray, segments: np.ndarray, rows: np.ndarray, expected: np.ndarray, inverse_std: np.ndarray
) -> float:
    total = 0.0
    for k in range(len(rows)):
        total += _miss(X, segments, rows[k], expected[k], inverse_std[k]) ** 2
    return total


@compiled
def _add_prior(
    X: np.ndarray, segments: np.ndarray, rows: np.ndarray, expected: np.ndarray, inverse_std: np.ndarray, first: int,
    H: np.ndarray, g: np.ndarray,
) -> None:  # fmt: skip
    """Add the rows of the prior to the normal equations; the points' unknowns begin at `first`."""
    slope, at = np.zeros(12), np.zeros(12, np.int64)
    for k in range(len(rows)):
        miss, n = _miss(X, segments, rows[k], expected[k], inverse_std[k]), 0
        for side in range(2):
            if rows[k, side] < 0:
                continue
            a, b = segments[rows[k, side]]
            squared = max(((X[b] - X[a]) ** 2).sum(), SHORTEST2)
            for i in range(3):
                part = (1 - 2 * side) * inverse_std[k] * (X[b, i] - X[a, i]) / squared
                slope[n], at[n] = part, first + 3 * b + i
                slope[n + 1], at[n + 1] = -part, first + 3 * a + i
                n += 2
        for i in range(n):
            g[at[i]] += miss * slope[i]
            for j in range(n):
                H[at[i], at[j]] += slope[i] * slope[j]
