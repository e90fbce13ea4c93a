"""Inner loops of the alignment of many point sets, compiled."""

import numpy as np

from pipeline.compiled import compiled, inlined

# Newton's method on the quartic ends at a relative step below SETTLED, or after STEPS steps.
SETTLED, STEPS = 1e-13, 50
# Eigenvectors shorter than this, computed as cofactors of a matrix of about unit size, are inaccurate.
SHORTEST = 1e-3


@compiled
def moments(
    source: np.ndarray, target: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The moments that determine the similarities of B sets of N weighted points (B, N, 3), (B, N).

    Returns the number of points used (B,), the means of source and target (B, 3), their cross-covariance, target by
    source (B, 3, 3), and the source's variance (B,), both times the sum of the weights. Points that are not finite in
    either set, or have no weight, are ignored.
    """
    B, N = weights.shape
    count, spread = np.zeros(B, np.int64), np.zeros(B)
    source_mean, target_mean, cross = np.zeros((B, 3)), np.zeros((B, 3)), np.zeros((B, 3, 3))
    for b in range(B):
        a, c = source_mean[b], target_mean[b]
        total = 0.0
        for n in range(N):
            if _counts(source, target, weights, b, n):
                count[b] += 1
                w = weights[b, n]
                total += w
                for i in range(3):
                    a[i] += w * source[b, n, i]
                    c[i] += w * target[b, n, i]
        a /= max(total, 1e-300)
        c /= max(total, 1e-300)
        for n in range(N):
            if _counts(source, target, weights, b, n):
                w = weights[b, n]
                x, y, z = source[b, n, 0] - a[0], source[b, n, 1] - a[1], source[b, n, 2] - a[2]
                spread[b] += w * (x * x + y * y + z * z)
                for i in range(3):
                    wt = w * (target[b, n, i] - c[i])
                    cross[b, i, 0] += wt * x
                    cross[b, i, 1] += wt * y
                    cross[b, i, 2] += wt * z
    return count, source_mean, target_mean, cross, spread


@compiled
def _counts(source: np.ndarray, target: np.ndarray, weights: np.ndarray, b: int, n: int) -> bool:
    total = source[b, n, 0] + source[b, n, 1] + source[b, n, 2] + target[b, n, 0] + target[b, n, 1] + target[b, n, 2]
    return np.isfinite(total) and weights[b, n] > 0


@compiled
def move(source: np.ndarray, scale: np.ndarray, R: np.ndarray, t: np.ndarray, moved: np.ndarray) -> None:
    """Write the points (B, N, 3) after similarities: scales (B,), rotations (B, 3, 3), translations (B, 3)."""
    for b in range(len(source)):
        for i in range(3):
            x, y, z = scale[b] * R[b, i, 0], scale[b] * R[b, i, 1], scale[b] * R[b, i, 2]
            for n in range(source.shape[1]):
                moved[b, n, i] = x * source[b, n, 0] + y * source[b, n, 1] + z * source[b, n, 2] + t[b, i]


@compiled
def nearest_rotations(matrices: np.ndarray, R: np.ndarray) -> np.ndarray:
    """Write the rotations (B, 3, 3) nearest to matrices (B, 3, 3), never reflections; return which (B,) are exact.

    The quaternion of the rotation is the eigenvector of the largest eigenvalue of a matrix (4, 4) made from the
    matrix's entries (Horn, "Closed-form solution of absolute orientation using unit quaternions", 1987). The
    eigenvalue is the largest root of a quartic, to which Newton's method descends from above (Theobald, "Rapid
    calculation of RMSDs using a quaternion-based characteristic polynomial", 2005); the eigenvector is a row of
    cofactors. The eigenvector is inaccurate if two eigenvalues are close, and for rotations of 180 degrees.
    """
    exact = np.zeros(len(matrices), np.bool_)
    for k in range(len(matrices)):
        M, squares = matrices[k], 0.0
        for i in range(3):
            for j in range(3):
                squares += M[i, j] * M[i, j]
        size = 1 / np.sqrt(squares)
        xx, xy, xz = size * M[0, 0], size * M[0, 1], size * M[0, 2]
        yx, yy, yz = size * M[1, 0], size * M[1, 1], size * M[1, 2]
        zx, zy, zz = size * M[2, 0], size * M[2, 1], size * M[2, 2]
        n0, n1, n2, n3 = xx + yy + zz, xx - yy - zz, yy - xx - zz, zz - xx - yy  # the diagonal of Horn's matrix
        n01, n02, n03, n12, n13, n23 = zy - yz, xz - zx, yx - xy, xy + yx, zx + xz, yz + zy
        w, x, y, z = _cofactors(n1, n2, n3, n01, n02, n03, n12, n13, n23)
        determinant = n0 * w + n01 * x + n02 * y + n03 * z
        linear = -8 * (xx * (yy * zz - yz * zy) - xy * (yx * zz - yz * zx) + xz * (yx * zy - yy * zx))
        root = _largest_root(linear, determinant)
        w, x, y, z = _cofactors(n1 - root, n2 - root, n3 - root, n01, n02, n03, n12, n13, n23)
        length = np.sqrt(w * w + x * x + y * y + z * z)
        exact[k] = length > SHORTEST
        w, x, y, z = w / length, x / length, y / length, z / length
        R[k, 0, 0], R[k, 0, 1], R[k, 0, 2] = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
        R[k, 1, 0], R[k, 1, 1], R[k, 1, 2] = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
        R[k, 2, 0], R[k, 2, 1], R[k, 2, 2] = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)
    return exact


@inlined
def _cofactors(
    n1: float, n2: float, n3: float, n01: float, n02: float, n03: float, n12: float, n13: float, n23: float
) -> tuple[float, float, float, float]:
    """The cofactors of the first row of a symmetric matrix (4, 4), from the entries that they depend on."""
    a, b, c = n2 * n3 - n23 * n23, n12 * n3 - n13 * n23, n12 * n23 - n13 * n2
    d, e, f = n02 * n3 - n03 * n23, n02 * n23 - n03 * n2, n02 * n13 - n03 * n12
    return (
        n1 * a - n12 * b + n13 * c, n12 * d - n01 * a - n13 * e, n01 * b - n1 * d + n13 * f, n1 * e - n01 * c - n12 * f,
    )  # fmt: skip


@inlined
def _largest_root(linear: float, constant: float) -> float:
    """The largest root of x^4 - 2 x^2 + linear x + constant, whose roots are real and at most sqrt(3)."""
    x = np.sqrt(3.0)
    for _ in range(STEPS):
        square = x * x
        cubic = (square - 2) * x + linear
        step = (cubic * x + constant) / (2 * square * x + (square - 2) * x + cubic)
        x -= step
        if abs(step) < SETTLED * x:
            break
    return x
