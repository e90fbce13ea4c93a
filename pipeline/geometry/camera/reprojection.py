"""How far rays miss the points that they show, and how exactly they determine them, as compiled loops."""

import numpy as np

from pipeline.compiled import compiled
from pipeline.geometry.triangulation.point_blocks import as_captured, as_floats, rig_of_each, stretched

# Below this determinant of its information, scaled to a trace of 1, the views do not determine a point.
LEAST_DETERMINANT = 1e-12


def residuals(
    points: np.ndarray, points_norm: np.ndarray, R: np.ndarray, t: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Distance of each ray from the projected point, in normalised units, and the point's depth, both (..., N, V).

    NaN where the view has no ray or no pose; the distance is infinite where the point lies behind the camera.
    """
    x = as_captured(points_norm, axis=-3)
    distance, depth = np.empty(x.shape[:-1]), np.empty(x.shape[:-1])
    flat = as_floats(stretched(points, (*points_norm.shape[:-2], 3))).reshape(len(x), x.shape[2], 3)
    _residuals(flat, x, *rig_of_each(R, t, points_norm.shape[:-3]), distance, depth)
    distance, depth = (np.swapaxes(a, -2, -1).reshape(points_norm.shape[:-1]) for a in (distance, depth))
    return distance, depth


def covariance(points: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Covariance (..., N, 3, 3) of points from the views with a finite sigma (..., N, V), in the points' unit squared.

    Infinite where the views do not determine the point.
    """
    s = as_captured(sigma, axis=-2)
    found = np.empty((len(s), s.shape[2], 3, 3))
    flat = as_floats(stretched(points, (*sigma.shape[:-1], 3))).reshape(len(s), s.shape[2], 3)
    _covariance(flat, s, *rig_of_each(R, t, sigma.shape[:-2]), found)
    return found.reshape(*sigma.shape[:-1], 3, 3)


@compiled
def _residuals(
    points: np.ndarray, points_norm: np.ndarray, R: np.ndarray, t: np.ndarray, distance: np.ndarray, depth: np.ndarray
) -> None:
    for m in range(len(points)):
        g = m if len(R) > 1 else 0
        for v in range(points_norm.shape[1]):
            r00, r01, r02 = R[g, v, 0]
            r10, r11, r12 = R[g, v, 1]
            r20, r21, r22 = R[g, v, 2]
            t0, t1, t2 = t[g, v]
            for n in range(points.shape[1]):
                x, y, z = points[m, n, 0], points[m, n, 1], points[m, n, 2]
                d = r20 * x + r21 * y + r22 * z + t2
                dx = (r00 * x + r01 * y + r02 * z + t0) / d - points_norm[m, v, n, 0]
                dy = (r10 * x + r11 * y + r12 * z + t1) / d - points_norm[m, v, n, 1]
                distance[m, v, n] = np.inf if d <= 0 else np.sqrt(dx * dx + dy * dy)
                depth[m, v, n] = d


@compiled
def _covariance(points: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray, found: np.ndarray) -> None:
    for m in range(len(points)):
        g = m if len(R) > 1 else 0
        for n in range(points.shape[1]):
            x, y, z = points[m, n]
            a = b = c = d = e = f = 0.0
            for v in range(sigma.shape[1]):
                Q, q = R[g, v], t[g, v]
                depth = Q[2, 0] * x + Q[2, 1] * y + Q[2, 2] * z + q[2]
                across = (Q[0, 0] * x + Q[0, 1] * y + Q[0, 2] * z + q[0]) / depth
                down = (Q[1, 0] * x + Q[1, 1] * y + Q[1, 2] * z + q[1]) / depth
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
    """The inverse of a symmetric matrix by its upper triangle, row by row; infinite where it has none."""
    aa, bb, cc = d * f - e * e, c * e - b * f, b * e - c * d
    dd, ee, ff = a * f - c * c, b * c - a * e, a * d - b * b
    determinant, size = a * aa + b * bb + c * cc, a + d + f
    if not determinant > LEAST_DETERMINANT * size * size * size:
        inverse[:] = np.inf
        return
    scale = 1 / determinant
    inverse[0, 0], inverse[1, 1], inverse[2, 2] = aa * scale, dd * scale, ff * scale
    inverse[0, 1] = inverse[1, 0] = bb * scale
    inverse[0, 2] = inverse[2, 0] = cc * scale
    inverse[1, 2] = inverse[2, 1] = ee * scale
