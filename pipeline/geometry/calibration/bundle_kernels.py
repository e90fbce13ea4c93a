"""The inner loops of the bundle adjustment of one rig, compiled.

Normalised image points are (N, V, 2) with inverse standard deviations (N, V), 0 where not seen; cameras R (V, 3, 3),
t (V, 3) from the world, points X (N, 3). The predicted image point is focal * (x / z, y / z), with a focal scale for
each camera. The unknowns of the reduced system are, camera by camera, a rotation vector and a translation in the
camera's frame and, unless the focal lengths are exact, the logarithm of the focal scale: D = 6 V or 7 V of them.
"""

import numpy as np

from pipeline.compiled import compiled

# Residual, in standard deviations, of a point behind a camera that sees it.
BEHIND = 1e3
MIN_DEPTH = 1e-9


@compiled
def residuals(
    points_norm: np.ndarray, inverse_sigma: np.ndarray, R: np.ndarray, t: np.ndarray, X: np.ndarray, focal: np.ndarray,
    out: np.ndarray,
) -> None:  # fmt: skip
    """Write the whitened residuals (N, V, 2), 0 where not seen."""
    for n in range(len(X)):
        for v in range(len(R)):
            s = inverse_sigma[n, v]
            x = R[v, 0, 0] * X[n, 0] + R[v, 0, 1] * X[n, 1] + R[v, 0, 2] * X[n, 2] + t[v, 0]
            y = R[v, 1, 0] * X[n, 0] + R[v, 1, 1] * X[n, 1] + R[v, 1, 2] * X[n, 2] + t[v, 1]
            z = R[v, 2, 0] * X[n, 0] + R[v, 2, 1] * X[n, 1] + R[v, 2, 2] * X[n, 2] + t[v, 2]
            if s == 0:
                out[n, v, 0] = out[n, v, 1] = 0.0
            elif z <= MIN_DEPTH:
                out[n, v, 0] = out[n, v, 1] = BEHIND
            else:
                out[n, v, 0] = s * (points_norm[n, v, 0] - focal[v] * x / z)
                out[n, v, 1] = s * (points_norm[n, v, 1] - focal[v] * y / z)


@compiled
def cost(residual: np.ndarray, width: float) -> float:
    """The Geman-McClure cost of residuals (N, V, 2); each contributes at most 1."""
    total = 0.0
    inverse = 1 / (width * width)
    for n in range(len(residual)):
        for v in range(residual.shape[1]):
            share = (residual[n, v, 0] ** 2 + residual[n, v, 1] ** 2) * inverse
            total += share / (1 + share)
    return total


@compiled
def normal_equations(
    points_norm: np.ndarray, inverse_sigma: np.ndarray, R: np.ndarray, t: np.ndarray, X: np.ndarray, focal: np.ndarray,
    width: float, damping: float, S: np.ndarray, b: np.ndarray, to_points: np.ndarray, own: np.ndarray,
) -> None:  # fmt: skip
    """Write the reduced system S (D, D), b (N, D): S times the step of the cameras is the sum of b.

    The points are eliminated (Schur complement): their steps are own (N, 3) - to_points (N, 3, D) @ that step; each
    row of b is the contribution of one point. The damping first enlarges every block's diagonal (Levenberg-Marquardt).
    """
    V, D = len(R), len(S)
    S[:] = 0.0
    b[:] = 0.0
    C = np.zeros((V, 7, 7))  # cameras against themselves
    W = np.empty((3, D))  # a point against the cameras
    H = np.empty((3, 4))  # a point against itself and its residuals
    J, P = np.zeros((2, 8)), np.empty((2, 3))
    for n in range(len(X)):
        W[:] = 0.0
        H[:] = 0.0
        for v in range(V):
            if inverse_sigma[n, v] > 0 and linearise(
                points_norm[n, v], inverse_sigma[n, v], R[v], t[v], X[n], focal[v], 1 / (width * width), J, P
            ):
                _add_view(v, D // V, J, P, C[v], W, H, b[n])
        _eliminate(W, H, damping, S, b[n], to_points[n], own[n])
    _add_cameras(C, damping, S)


@compiled
def linearise(
    point_norm: np.ndarray, s: float, R: np.ndarray, t: np.ndarray, X: np.ndarray, focal: float, inverse_width2: float,
    J: np.ndarray, P: np.ndarray,
) -> bool:  # fmt: skip
    """Write the terms of one image point, times the root of its robust weight; false if X lies behind the camera.

    J (2, 8) holds the derivatives of the projection by the camera's six unknowns and by the log focal scale, and the
    residual; P (2, 3) those by the point X.
    """
    x = R[0, 0] * X[0] + R[0, 1] * X[1] + R[0, 2] * X[2] + t[0]
    y = R[1, 0] * X[0] + R[1, 1] * X[1] + R[1, 2] * X[2] + t[1]
    z = R[2, 0] * X[0] + R[2, 1] * X[1] + R[2, 2] * X[2] + t[2]
    if z <= MIN_DEPTH:
        return False
    u, v = x / z, y / z
    fu, fv = s * focal * u, s * focal * v
    ru, rv = s * point_norm[0] - fu, s * point_norm[1] - fv
    root = 1 / (1 + (ru * ru + rv * rv) * inverse_width2)
    a = root * s * focal / z
    J[0, 0], J[0, 1], J[0, 2], J[0, 3], J[0, 5] = -a * u * y, a * (z + u * x), -a * y, a, -a * u
    J[1, 0], J[1, 1], J[1, 2], J[1, 4], J[1, 5] = -a * (z + v * y), a * v * x, a * x, a, -a * v
    J[0, 6], J[1, 6], J[0, 7], J[1, 7] = root * fu, root * fv, root * ru, root * rv
    for i in range(3):
        P[0, i], P[1, i] = a * (R[0, i] - u * R[2, i]), a * (R[1, i] - v * R[2, i])
    return True


@compiled
def _add_view(
    v: int, n: int, J: np.ndarray, P: np.ndarray, C: np.ndarray, W: np.ndarray, H: np.ndarray, b: np.ndarray
) -> None:
    """Add one view's terms of a point to the camera's block C, to the point's W and H, and to b; n unknowns a view."""
    for i in range(n):
        b[n * v + i] = J[0, i] * J[0, 7] + J[1, i] * J[1, 7]
        for j in range(n):
            C[i, j] += J[0, i] * J[0, j] + J[1, i] * J[1, j]
    for i in range(3):
        for j in range(n):
            W[i, n * v + j] = P[0, i] * J[0, j] + P[1, i] * J[1, j]
        for j in range(3):
            H[i, j] += P[0, i] * P[0, j] + P[1, i] * P[1, j]
        H[i, 3] += P[0, i] * J[0, 7] + P[1, i] * J[1, 7]


@compiled
def _eliminate(
    W: np.ndarray, H: np.ndarray, damping: float, S: np.ndarray, b: np.ndarray, to_point: np.ndarray, own: np.ndarray
) -> None:
    """Eliminate a point: subtract its Schur complement terms from the lower triangle of S and from b."""
    inverse = np.empty((3, 3))
    _invert(H, damping, inverse)
    D = len(b)
    for i in range(3):
        own[i] = inverse[i, 0] * H[0, 3] + inverse[i, 1] * H[1, 3] + inverse[i, 2] * H[2, 3]
        for j in range(D):
            to_point[i, j] = inverse[i, 0] * W[0, j] + inverse[i, 1] * W[1, j] + inverse[i, 2] * W[2, j]
    for i in range(D):
        w0, w1, w2 = W[0, i], W[1, i], W[2, i]
        b[i] -= w0 * own[0] + w1 * own[1] + w2 * own[2]
        for j in range(i + 1):
            S[i, j] -= w0 * to_point[0, j] + w1 * to_point[1, j] + w2 * to_point[2, j]


@compiled
def _add_cameras(C: np.ndarray, damping: float, S: np.ndarray) -> None:
    """Add the cameras' own blocks (V, 7, 7) to the lower triangle of S and fill the upper one."""
    n = len(S) // len(C)
    for v in range(len(C)):
        for i in range(n):
            S[n * v + i, n * v + i] += damping * C[v, i, i]
            for j in range(i + 1):
                S[n * v + i, n * v + j] += C[v, i, j]
    for i in range(len(S)):
        for j in range(i):
            S[j, i] = S[i, j]


@compiled
def _invert(H: np.ndarray, damping: float, out: np.ndarray) -> None:
    """Write the inverse of a symmetric 3 x 3 matrix whose diagonal is enlarged; zeros if it is singular."""
    grow = 1 + damping
    tiny = 1e-12 * (H[0, 0] + H[1, 1] + H[2, 2])
    a, d, f = H[0, 0] * grow + tiny, H[1, 1] * grow + tiny, H[2, 2] * grow + tiny
    b, c, e = H[0, 1], H[0, 2], H[1, 2]
    A, B, C = d * f - e * e, c * e - b * f, b * e - c * d
    determinant = a * A + b * B + c * C
    k = 1 / determinant if determinant > 0 else 0.0
    out[0, 0], out[0, 1], out[0, 2] = k * A, k * B, k * C
    out[1, 0], out[1, 1], out[1, 2] = k * B, k * (a * f - c * c), k * (b * c - a * e)
    out[2, 0], out[2, 1], out[2, 2] = k * C, k * (b * c - a * e), k * (a * d - b * b)


@compiled
def rotate(w0: float, w1: float, w2: float, M: np.ndarray, out: np.ndarray) -> None:
    """Write M (3, n) rotated by a rotation vector, whose length is the angle in radians (Rodrigues)."""
    angle = np.sqrt(w0 * w0 + w1 * w1 + w2 * w2)
    a = np.sin(angle) / angle if angle > 1e-9 else 1.0
    half = np.sin(0.5 * angle) / (0.5 * angle) if angle > 1e-9 else 1.0
    b = 0.5 * half * half
    for k in range(M.shape[1]):
        x, y, z = M[0, k], M[1, k], M[2, k]
        cx, cy, cz = w1 * z - w2 * y, w2 * x - w0 * z, w0 * y - w1 * x
        out[0, k] = x + a * cx + b * (w1 * cz - w2 * cy)
        out[1, k] = y + a * cy + b * (w2 * cx - w0 * cz)
        out[2, k] = z + a * cz + b * (w0 * cy - w1 * cx)


@compiled
def solve(S: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Solve a system that is singular without damping, because the gauge is not fixed."""
    D = len(b)
    scale = np.empty(D)
    for i in range(D):
        scale[i] = 1 / np.sqrt(S[i, i]) if S[i, i] > 0 else 0.0
    scaled = np.empty((D, D))
    for i in range(D):
        for j in range(D):
            scaled[i, j] = S[i, j] * scale[i] * scale[j]
        scaled[i, i] = 1 + 1e-10 if scale[i] > 0 else 1.0
    return np.linalg.solve(scaled, b * scale) * scale


@compiled
def move_cameras(R: np.ndarray, t: np.ndarray, step: np.ndarray, n: int, R_new: np.ndarray, t_new: np.ndarray) -> None:
    """Write the cameras after a step, which begins with n unknowns of each camera, n at least 6."""
    for v in range(len(R)):
        w = step[n * v : n * v + 6]
        rotate(w[0], w[1], w[2], R[v], R_new[v])
        rotate(w[0], w[1], w[2], t[v].reshape(3, 1), t_new[v].reshape(3, 1))
        for i in range(3):
            t_new[v, i] += w[3 + i]


@compiled
def _move_points(X: np.ndarray, step: np.ndarray, to_points: np.ndarray, own: np.ndarray, X_new: np.ndarray) -> None:
    """Write the points after the step of the reduced system."""
    for n in range(len(X)):
        for i in range(3):
            moved = own[n, i]
            for j in range(len(step)):
                moved -= to_points[n, i, j] * step[j]
            X_new[n, i] = X[n, i] + moved


@compiled
def _move_focal(focal: np.ndarray, prior: np.ndarray, step: np.ndarray, focal_new: np.ndarray) -> float:
    """Write the focal scales after a step; return their prior cost."""
    total = 0.0
    for v in range(len(prior)):
        focal_new[v] = focal[v] * np.exp(step[7 * v + 6])
    for v in range(len(prior)):
        for w in range(len(prior)):
            total += prior[v, w] * np.log(focal_new[v]) * np.log(focal_new[w])
    return total


@compiled
def _hold_focal(S: np.ndarray, b: np.ndarray, prior: np.ndarray, focal: np.ndarray) -> None:
    """Add the prior on the focal scales to the reduced system."""
    for v in range(len(prior)):
        for w in range(len(prior)):
            S[7 * v + 6, 7 * w + 6] += prior[v, w]
            b[7 * v + 6] -= prior[v, w] * np.log(focal[w])


@compiled
def descend(
    points_norm: np.ndarray, inverse_sigma: np.ndarray, R: np.ndarray, t: np.ndarray, X: np.ndarray, focal: np.ndarray,
    prior: np.ndarray, width: float, steps: int, enough: float,
) -> None:  # fmt: skip
    """Lower the robust cost by Levenberg-Marquardt steps, in place.

    `prior` (V, V) is the prior information on the logarithms of the focal scales, in the unit of whitened residuals;
    empty: the focal scales are exact. Ends after `steps` steps, or when a step lowers the cost by less than the share
    `enough`.
    """
    N, V = inverse_sigma.shape
    n_unknowns = 7 if len(prior) else 6
    D = n_unknowns * V
    S, parts, b = np.empty((D, D)), np.empty((N, D)), np.zeros(D)
    to_points, own, residual = np.empty((N, 3, D)), np.empty((N, 3)), np.empty((N, V, 2))
    R_new, t_new, X_new, focal_new = R.copy(), t.copy(), X.copy(), focal.copy()
    residuals(points_norm, inverse_sigma, R, t, X, focal, residual)
    now = cost(residual, width) + _move_focal(focal, prior, b, focal_new) / (width * width)
    damping = 1e-4
    for _ in range(steps):
        normal_equations(points_norm, inverse_sigma, R, t, X, focal, width, damping, S, parts, to_points, own)
        b[:] = 0.0
        for n in range(N):
            b += parts[n]
        _hold_focal(S, b, prior, focal)
        step = solve(S, b)
        move_cameras(R, t, step, n_unknowns, R_new, t_new)
        _move_points(X, step, to_points, own, X_new)
        pull = _move_focal(focal, prior, step, focal_new) / (width * width)
        residuals(points_norm, inverse_sigma, R_new, t_new, X_new, focal_new, residual)
        new = cost(residual, width) + pull
        if not new <= now:
            damping *= 10
            continue
        fall, now, damping = now - new, new, damping / 10
        R[:], t[:], X[:], focal[:] = R_new, t_new, X_new, focal_new
        if fall <= enough * now:
            break
