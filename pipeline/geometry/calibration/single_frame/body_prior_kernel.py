"""Inner loops of the adjustment of one frame's rig and joints to a human build, compiled.

Points, cameras and their derivatives are those of bundle_kernels. All unknowns are solved for at once, because bones
couple the joints: first 6 unknowns of each camera, then 3 of each joint.
"""

import numpy as np

from pipeline.compiled import compiled
from pipeline.geometry.calibration.bundle_kernels import cost, linearise, move_cameras, residuals, solve

STEPS = 12
ENOUGH = 1e-4  # relative decrease of the cost below which the iteration ends


@compiled
def descend(
    points_norm: np.ndarray, inverse_sigma: np.ndarray, R: np.ndarray, t: np.ndarray, X: np.ndarray, width: float,
    bones: np.ndarray, C: np.ndarray, expected: np.ndarray,
) -> float:  # fmt: skip
    """Levenberg-Marquardt in place; return the final cost."""
    J, V = inverse_sigma.shape
    first = 6 * V
    H, g = np.empty((first + 3 * J, first + 3 * J)), np.empty(first + 3 * J)
    slope, residual = np.empty((len(C), 3 * J)), np.empty((*inverse_sigma.shape, 2))
    R_new, t_new, X_new = R.copy(), t.copy(), X.copy()
    miss = _bones(X, bones, C, expected, slope)
    residuals(points_norm, inverse_sigma, R, t, X, 1.0, residual)
    now = width * width * cost(residual, width) + (miss * miss).sum()
    damping = 1e-3
    for _ in range(STEPS):
        _add_observations(points_norm, inverse_sigma, R, t, X, width, H, g)
        miss = _bones(X, bones, C, expected, slope)
        H[first:, first:] += slope.T @ slope
        g[first:] += slope.T @ miss
        for i in range(len(g)):
            H[i, i] = H[i, i] * (1 + damping) if H[i, i] > 0 else 1.0
        step = solve(H, g)
        move_cameras(R, t, step, R_new, t_new)
        X_new[:] = X + step[first:].reshape(J, 3)
        miss = _bones(X_new, bones, C, expected, slope)
        residuals(points_norm, inverse_sigma, R_new, t_new, X_new, 1.0, residual)
        new = width * width * cost(residual, width) + (miss * miss).sum()
        if not new <= now:
            damping *= 10
            continue
        fall, now, damping = now - new, new, damping / 10
        R[:], t[:], X[:] = R_new, t_new, X_new
        if fall <= ENOUGH * now:
            break
    return now


@compiled
def _add_observations(
    points_norm: np.ndarray, inverse_sigma: np.ndarray, R: np.ndarray, t: np.ndarray, X: np.ndarray, width: float,
    H: np.ndarray, g: np.ndarray,
) -> None:  # fmt: skip
    """Write the normal equations of the image points: cameras first, then joints."""
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


@compiled
def _bones(X: np.ndarray, bones: np.ndarray, C: np.ndarray, expected: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Residuals of the prior on bone lengths (T,); writes the derivatives of the logarithms by the joints (T, 3 J)."""
    logs = np.zeros(len(bones))
    slope[:] = 0.0
    for m in range(len(bones)):
        a, b = bones[m]
        bone = X[b] - X[a]
        squared = (bone * bone).sum()
        if squared == 0:
            continue
        logs[m] = 0.5 * np.log(squared)
        for k in range(len(C)):
            for i in range(3):
                part = C[k, m] * bone[i] / squared
                slope[k, 3 * b + i] += part
                slope[k, 3 * a + i] -= part
    return expected - C @ logs
