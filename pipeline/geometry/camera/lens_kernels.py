"""Inner loops of the lens models, compiled: distortion of many points at once and its inverse.

The coefficients c (12,) and the homography H (3, 3) from distorted normalised points to pixels are those of
`pipeline.geometry.camera.lens`.
"""

import numpy as np

from pipeline.compiled import compiled, inlined

BLOCK = 256  # points in a block, whose rows stay in a core's cache
# Newton steps from the distorted point: twice the number that lenses in use need.
STEPS = 10
# A Newton step that starts within this distance of the solution, in normalised units, ends within rounding of it.
CLOSE = 1e-7
# Rows of undistortion: the distorted point (2), the current estimate (2), and whether the estimate has converged.
ROWS = 5


@compiled
def distort(points: np.ndarray, c: np.ndarray, H: np.ndarray, pixels: np.ndarray) -> None:
    """Write the pixels (N, 2) of points (N, 3) in the camera's frame, by the rational model."""
    for n in range(len(points)):
        x, y = points[n, 0] / points[n, 2], points[n, 1] / points[n, 2]
        x, y = _distorted(x, y, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11])[:2]
        pixels[n, 0], pixels[n, 1] = _mapped(H, x, y)


@compiled
def distort_fisheye(points: np.ndarray, c: np.ndarray, H: np.ndarray, pixels: np.ndarray) -> None:
    """Write the pixels (N, 2) of points (N, 3) in the camera's frame, by the fisheye model."""
    for n in range(len(points)):
        x, y, z = points[n]
        radius = np.sqrt(x * x + y * y)
        angle = np.arctan2(radius, z)
        a2 = angle * angle
        scale = angle * (1 + a2 * (c[0] + a2 * (c[1] + a2 * (c[2] + a2 * c[3]))))
        scale = scale / radius if radius > 0 else 1 / z
        pixels[n, 0], pixels[n, 1] = _mapped(H, x * scale, y * scale)


@compiled
def undistort(pixels: np.ndarray, c: np.ndarray, H: np.ndarray, points_norm: np.ndarray) -> None:
    """Write normalised points (N, 2) of pixels (N, 2), by Newton's method; NaN for pixels that have none.

    `H` is the homography from pixels to distorted points. Pixels beyond the radius at which the lens model folds back
    have no normalised point.
    """
    work = np.empty(ROWS * BLOCK)
    for start in range(0, len(pixels), BLOCK):
        n = min(BLOCK, len(pixels) - start)
        part, into = pixels[start : start + n], points_norm[start : start + n]
        for k in range(n):
            x, y = _mapped(H, part[k, 0], part[k, 1])
            work[k], work[BLOCK + k] = x, y
            work[2 * BLOCK + k], work[3 * BLOCK + k] = x, y
        for _ in range(STEPS):
            if _newton_step(work, c, n) == 0:
                break
        for k in range(n):
            good = work[4 * BLOCK + k] > 0
            into[k, 0] = work[2 * BLOCK + k] if good else np.nan
            into[k, 1] = work[3 * BLOCK + k] if good else np.nan


@compiled
def _newton_step(work: np.ndarray, c: np.ndarray, n: int) -> int:
    """Move estimates towards the solution, mark the converged ones, and return the number of the others."""
    k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4 = c
    for k in range(n):
        x, y = work[2 * BLOCK + k], work[3 * BLOCK + k]
        u, v, xx, xy, yx, yy = _distorted(x, y, k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4)
        dx, dy, determinant = work[k] - u, work[BLOCK + k] - v, xx * yy - xy * yx
        inverse = 1 / determinant
        work[2 * BLOCK + k] = x + (yy * dx - xy * dy) * inverse
        work[3 * BLOCK + k] = y + (xx * dy - yx * dx) * inverse
        close = (abs(dx) + abs(dy) <= CLOSE * (1 + abs(u) + abs(v))) & (determinant > 0) & (xx + yy > 0)
        work[4 * BLOCK + k] = 1.0 if close else 0.0
    missing = 0
    for k in range(n):
        missing += 1 if work[4 * BLOCK + k] < 0.5 else 0
    return missing


@compiled
def undistort_fisheye(pixels: np.ndarray, c: np.ndarray, H: np.ndarray, points_norm: np.ndarray) -> None:
    """Write normalised points (N, 2) of pixels (N, 2) by the fisheye model; NaN from 90 degrees off the axis on."""
    for n in range(len(pixels)):
        x, y = _mapped(H, pixels[n, 0], pixels[n, 1])
        radius = np.sqrt(x * x + y * y)
        angle, slope, miss = radius, 1.0, 0.0
        for _ in range(STEPS):
            a2 = angle * angle
            miss = angle * (1 + a2 * (c[0] + a2 * (c[1] + a2 * (c[2] + a2 * c[3])))) - radius
            slope = 1 + a2 * (3 * c[0] + a2 * (5 * c[1] + a2 * (7 * c[2] + a2 * 9 * c[3])))
            angle -= miss / slope
        good = abs(miss) <= CLOSE and slope > 0 and 0 <= angle < 0.5 * np.pi
        scale = np.tan(angle) / radius if radius > 0 else 1.0
        points_norm[n, 0] = x * scale if good else np.nan
        points_norm[n, 1] = y * scale if good else np.nan


@compiled
def _mapped(H: np.ndarray, x: float, y: float) -> tuple[float, float]:
    z = H[2, 0] * x + H[2, 1] * y + H[2, 2]
    return (H[0, 0] * x + H[0, 1] * y + H[0, 2]) / z, (H[1, 0] * x + H[1, 1] * y + H[1, 2]) / z


@inlined
def _distorted(
    x: float, y: float, k1: float, k2: float, p1: float, p2: float, k3: float, k4: float, k5: float, k6: float,
    s1: float, s2: float, s3: float, s4: float,
) -> tuple[float, float, float, float, float, float]:  # fmt: skip
    """The distorted point, and its derivatives xx, xy, yx, yy by the normalised point."""
    r2 = x * x + y * y
    above, below = 1 + r2 * (k1 + r2 * (k2 + r2 * k3)), 1 / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
    radial = above * below
    # Twice the derivatives by r2, which x and y multiply.
    slope = 2 * below * (k1 + r2 * (2 * k2 + 3 * r2 * k3) - radial * (k4 + r2 * (2 * k5 + 3 * r2 * k6)))
    prism_x, prism_y = 2 * (s1 + 2 * r2 * s2), 2 * (s3 + 2 * r2 * s4)
    return (
        x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x) + r2 * (s1 + r2 * s2),
        y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y + r2 * (s3 + r2 * s4),
        radial + x * x * slope + 2 * p1 * y + 6 * p2 * x + x * prism_x,
        x * y * slope + 2 * p1 * x + 2 * p2 * y + y * prism_x,
        x * y * slope + 2 * p1 * x + 2 * p2 * y + x * prism_y,
        radial + y * y * slope + 6 * p1 * y + 2 * p2 * x + y * prism_y,
    )
