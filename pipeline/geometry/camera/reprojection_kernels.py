"""Inner loops of reprojection, compiled: arrays (batch, view, point, ...), one rig for all batches or one for each."""

import numpy as np

from pipeline.compiled import compiled
from pipeline.geometry.camera.projection_kernels import project_point

# Below this determinant of its information matrix, scaled to a trace of 1, the views do not determine a point.
MIN_DETERMINANT = 1e-12


@compiled
def residuals(
    points: np.ndarray, points_norm: np.ndarray, R: np.ndarray, t: np.ndarray, distance: np.ndarray, depth: np.ndarray
) -> None:
    """Write the distances and depths (M, V, N) of image points (M, V, N, 2) and the projections of points (M, N, 3)."""
    for m in range(len(points)):
        g = m if len(R) > 1 else 0
        for v in range(points_norm.shape[1]):
            r00, r01, r02 = R[g, v, 0]
            r10, r11, r12 = R[g, v, 1]
            r20, r21, r22 = R[g, v, 2]
            t0, t1, t2 = t[g, v]
            for n in range(points.shape[1]):
                x, y, z = points[m, n, 0], points[m, n, 1], points[m, n, 2]
                u, q, d = project_point(r00, r01, r02, r10, r11, r12, r20, r21, r22, t0, t1, t2, x, y, z)
                dx, dy = u - points_norm[m, v, n, 0], q - points_norm[m, v, n, 1]
                distance[m, v, n] = np.inf if d <= 0 else np.sqrt(dx * dx + dy * dy)
                depth[m, v, n] = d


@compiled
def covariance(points: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray, found: np.ndarray) -> None:
    """Write the covariances (M, N, 3, 3) of points (M, N, 3) from views with a finite sigma (M, V, N)."""
    for m in range(len(points)):
        g = m if len(R) > 1 else 0
        for n in range(points.shape[1]):
            x, y, z = points[m, n]
            a = b = c = d = e = f = 0.0
            for v in range(sigma.shape[1]):
                Q, q = R[g, v], t[g, v]
                across, down, depth = project_point(
                    Q[0, 0], Q[0, 1], Q[0, 2], Q[1, 0], Q[1, 1], Q[1, 2], Q[2, 0], Q[2, 1], Q[2, 2],
                    q[0], q[1], q[2], x, y, z,
                )  # fmt: skip
                w = 1 / (depth * sigma[m, v, n])
                if abs(across) + abs(down) + abs(w) < np.inf:
                    x0, y0 = (Q[0, 0] - across * Q[2, 0]) * w, (Q[1, 0] - down * Q[2, 0]) * w
                    x1, y1 = (Q[0, 1] - across * Q[2, 1]) * w, (Q[1, 1] - down * Q[2, 1]) * w
                    x2, y2 = (Q[0, 2] - across * Q[2, 2]) * w, (Q[1, 2] - down * Q[2, 2]) * w
                    a, b, c = a + x0 * x0 + y0 * y0, b + x0 * x1 + y0 * y1, c + x0 * x2 + y0 * y2
                    d, e, f = d + x1 * x1 + y1 * y1, e + x1 * x2 + y1 * y2, f + x2 * x2 + y2 * y2
            _invert(a, b, c, d, e, f, found[m, n])


@compiled
def _invert(a: float, b: float, c: float, d: float, e: float, f: float, inverse: np.ndarray) -> None:
    """The inverse of a symmetric matrix by its upper triangle, row by row; infinite if it is singular."""
    aa, bb, cc = d * f - e * e, c * e - b * f, b * e - c * d
    dd, ee, ff = a * f - c * c, b * c - a * e, a * d - b * b
    determinant, size = a * aa + b * bb + c * cc, a + d + f
    if not determinant > MIN_DETERMINANT * size * size * size:
        inverse[:] = np.inf
        return
    scale = 1 / determinant
    inverse[0, 0], inverse[1, 1], inverse[2, 2] = aa * scale, dd * scale, ff * scale
    inverse[0, 1] = inverse[1, 0] = bb * scale
    inverse[0, 2] = inverse[2, 0] = cc * scale
    inverse[1, 2] = inverse[2, 1] = ee * scale
