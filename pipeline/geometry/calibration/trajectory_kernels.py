"""The inner loops of the adjustment of moving cameras, compiled.

Normalised image points are (F, J, V, 2) with inverse standard deviations (F, J, V), 0 where not seen; cameras
R (F, V, 3, 3), t (F, V, 3) and points X (F, J, 3) are given for each frame, which lies a `share` of the way from knot
`before` to the next. The step of a frame's cameras is interpolated linearly between the steps of the two knots, as
cameras rotate little from knot to knot.
"""

import numpy as np

from pipeline.compiled import compiled
from pipeline.geometry.calibration import bundle_kernels


@compiled
def residuals(
    points_norm: np.ndarray, inverse_sigma: np.ndarray, R: np.ndarray, t: np.ndarray, X: np.ndarray, out: np.ndarray
) -> None:
    """Write the whitened residuals (F, J, V, 2), 0 where not seen."""
    focal = np.ones(inverse_sigma.shape[2])
    for f in range(len(points_norm)):
        bundle_kernels.residuals(points_norm[f], inverse_sigma[f], R[f], t[f], X[f], focal, out[f])


@compiled
def assemble(
    points_norm: np.ndarray, inverse_sigma: np.ndarray, R: np.ndarray, t: np.ndarray, X: np.ndarray, before: np.ndarray,
    share: np.ndarray, width: float, damping: float, diagonal: np.ndarray, above: np.ndarray, right: np.ndarray,
) -> None:  # fmt: skip
    """Add the image points' terms to the knots' system: blocks on the diagonal (K, D, D) and above it, right (K, D)."""
    J, D = inverse_sigma.shape[1], right.shape[1]
    S, b, to_points, own = _buffers(J, D)
    focal = np.ones(inverse_sigma.shape[2])
    for f in range(len(points_norm)):
        bundle_kernels.normal_equations(
            points_norm[f], inverse_sigma[f], R[f], t[f], X[f], focal, width, damping, S, b, to_points, own
        )
        k, s = before[f], share[f]
        for i in range(D):
            total = b[:, i].sum()
            right[k, i] += (1 - s) * total
            right[k + 1, i] += s * total
            for j in range(D):
                diagonal[k, i, j] += (1 - s) * (1 - s) * S[i, j]
                diagonal[k + 1, i, j] += s * s * S[i, j]
                above[k, i, j] += s * (1 - s) * S[i, j]


@compiled
def move_points(
    points_norm: np.ndarray, inverse_sigma: np.ndarray, R: np.ndarray, t: np.ndarray, X: np.ndarray, before: np.ndarray,
    share: np.ndarray, width: float, damping: float, step: np.ndarray, X_new: np.ndarray,
) -> None:  # fmt: skip
    """Write the points after a step (K, D) of the knots, found with the same damping."""
    J, D = inverse_sigma.shape[1], step.shape[1]
    S, b, to_points, own = _buffers(J, D)
    focal = np.ones(inverse_sigma.shape[2])
    for f in range(len(points_norm)):
        bundle_kernels.normal_equations(
            points_norm[f], inverse_sigma[f], R[f], t[f], X[f], focal, width, damping, S, b, to_points, own
        )
        k, s = before[f], share[f]
        for n in range(J):
            for i in range(3):
                moved = own[n, i]
                for j in range(D):
                    moved -= to_points[n, i, j] * ((1 - s) * step[k, j] + s * step[k + 1, j])
                X_new[f, n, i] = X[f, n, i] + moved


@compiled
def scores(
    points_norm: np.ndarray, inverse_sigma: np.ndarray, R: np.ndarray, t: np.ndarray, X: np.ndarray, width: float,
    total: np.ndarray, b: np.ndarray,
) -> None:  # fmt: skip
    """Add all frames' reduced systems to total (D, D), and write each point's contribution b (F, J, D)."""
    J, D = b.shape[1:]
    S, _, to_points, own = _buffers(J, D)
    focal = np.ones(inverse_sigma.shape[2])
    for f in range(len(points_norm)):
        bundle_kernels.normal_equations(
            points_norm[f], inverse_sigma[f], R[f], t[f], X[f], focal, width, 0.0, S, b[f], to_points, own
        )
        total += S


@compiled
def _buffers(J: int, D: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Buffers for the reduced system of one frame's J points with D unknowns: S, b, to_points and own."""
    return np.empty((D, D)), np.empty((J, D)), np.empty((J, 3, D)), np.empty((J, 3))
