"""Alignment of point sets and of rigs by a similarity: rotation, translation and, if wanted, scale."""

import numpy as np

# Newton's iteration meets rounding in seven steps from what is no flatter than this (determinant at unit norm).
NEWTON_STEPS = 7
FLATTEST = 1e-4
# Of each of three rows or columns, the one after it and the one before it, in a circle.
NEXT, LAST = [1, 2, 0], [2, 0, 1]


def similarity(
    source: np.ndarray, target: np.ndarray, *, scale: bool = True, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The similarity that brings source points nearest to target points in the (weighted) least-squares sense.

    Points are (..., N, 3), weights (..., N); points that are NaN in either set do not count. Returns scale (...),
    rotation (..., 3, 3), never a reflection, and translation (..., 3) with target = scale * R @ source + t; NaN
    where fewer than three points count. Umeyama, "Least-squares estimation of transformation parameters", 1991.
    """
    seen = np.isfinite(source).all(-1) & np.isfinite(target).all(-1)
    w = seen.astype(float) if weights is None else np.where(seen, weights, 0.0)
    enough = (w > 0).sum(-1) >= 3
    w = w / np.maximum(w.sum(-1, keepdims=True), 1e-300)
    a, b = (np.where(seen[..., None], x, 0.0) for x in (source, target))
    a_mean, b_mean = ((w[..., None] * x).sum(-2, keepdims=True) for x in (a, b))
    a, b = a - a_mean, b - b_mean
    cross = np.einsum("...ni,...nj->...ij", w[..., None] * b, a)
    R = nearest_rotation(cross)
    spread = (w[..., None] * a**2).sum((-2, -1))
    s = (R * cross).sum((-2, -1)) / np.maximum(spread, 1e-300) if scale else np.ones(spread.shape)
    t = b_mean[..., 0, :] - s[..., None] * (R @ a_mean[..., 0, :, None])[..., 0]
    invalid = np.where(enough, 0.0, np.nan)
    return s + invalid, R + invalid[..., None, None], t + invalid[..., None]


def align(
    source: np.ndarray, target: np.ndarray, *, scale: bool = True, weights: np.ndarray | None = None
) -> np.ndarray:
    """The source points (..., N, 3) moved by the similarity that brings them nearest to the target points (..., N, 3).

    Points that are NaN in either set do not count; weights (..., N) are optional. NaN where fewer than three count.
    """
    s, R, t = similarity(source, target, scale=scale, weights=weights)
    return np.einsum("...ni,...ji->...nj", source, s[..., None, None] * R) + t[..., None, :]


def rig_similarity(
    R_from: np.ndarray, centers_from: np.ndarray, R_to: np.ndarray, centers_to: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Scale, rotation (3, 3) and shift (3,) from one rig's world to another's: x_to = scale * Q @ x_from + shift.

    Rotations are (V, 3, 3) from the world to each camera, centres (V, 3). The rotation is the mean over the cameras,
    as the centres of two or of collinear cameras leave it open. Cameras that are NaN in either rig do not count; NaN
    where fewer than two remain.
    """
    parts = (R_from, centers_from, R_to, centers_to)
    keep = np.all([np.isfinite(x).reshape(len(x), -1).all(-1) for x in parts], axis=0)
    if keep.sum() < 2:
        return float("nan"), np.full((3, 3), np.nan), np.full(3, np.nan)
    R_a, a, R_b, b = (x[keep] for x in parts)
    # R_a = R_b @ Q where Q takes the one world to the other.
    Q = nearest_rotation(np.einsum("vji,vjk->ik", R_b, R_a))
    moved = (a - a.mean(0)) @ Q.T
    scale = float((moved * (b - b.mean(0))).sum() / max((moved**2).sum(), 1e-300))
    return scale, Q, b.mean(0) - scale * Q @ a.mean(0)


def rig_error(
    R_estimated: np.ndarray, centers_estimated: np.ndarray, R_true: np.ndarray, centers_true: np.ndarray
) -> tuple[float, float]:
    """Mean rotation error in degrees and mean centre error (unit of the true centres) of a rig's cameras.

    Rotations are (V, 3, 3) from the world to each camera, centres (V, 3); the worlds may differ by a similarity, that
    of `rig_similarity`. Cameras that are NaN in either rig do not count; NaN where fewer than two remain.
    """
    scale, Q, shift = rig_similarity(R_estimated, centers_estimated, R_true, centers_true)
    if np.isnan(scale):
        return float("nan"), float("nan")
    rotation_deg = np.degrees(rotation_angle(R_estimated @ Q.T @ np.swapaxes(R_true, -1, -2)))
    center = np.linalg.norm(scale * centers_estimated @ Q.T + shift - centers_true, axis=-1)
    keep = np.isfinite(rotation_deg) & np.isfinite(center)
    return float(rotation_deg[keep].mean()), float(center[keep].mean())


def nearest_rotation(M: np.ndarray) -> np.ndarray:
    """The rotation (..., 3, 3) nearest to a matrix (..., 3, 3), never a reflection.

    By Newton's iteration for the polar factor, all matrices at once (Higham, "Computing the polar decomposition with
    applications", 1986); where that is not safe, by the singular value decomposition.
    """
    R, safe = _polar_factor(M)
    if not safe.all():
        U, _, Vt = np.linalg.svd(M[~safe])
        # The determinant check: without it mirrored poses would be "aligned" by a reflection.
        U[..., :, 2] *= np.sign(np.linalg.det(U) * np.linalg.det(Vt))[..., None]
        R[~safe] = U @ Vt
    return R


def _polar_factor(M: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orthogonal polar factor of matrices (..., 3, 3), and for which (...) it is the nearest rotation, and exact."""
    size = np.maximum(np.sqrt((M * M).sum((-2, -1))), 1e-300)
    # Entries first: each operation runs along all matrices.
    Q = np.ascontiguousarray(np.moveaxis(M, (-2, -1), (0, 1))) / size
    cofactors, det = _cofactors(Q)
    safe = det > FLATTEST
    for _ in range(NEWTON_STEPS):
        det = np.where(safe, det, 1.0)
        scale = np.cbrt(det)
        Q = 0.5 * (Q / scale + cofactors * (scale / det))
        cofactors, det = _cofactors(Q)
    # A rotation is its own matrix of cofactors.
    safe &= np.abs(Q - cofactors).max((0, 1)) < 1e-12
    return np.moveaxis(Q, (0, 1), (-2, -1)), safe


def _cofactors(Q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Matrices of cofactors (3, 3, ...) and determinants (...) of matrices (3, 3, ...)."""
    minors = [Q[np.ix_(rows, columns)] for rows in (NEXT, LAST) for columns in (NEXT, LAST)]
    cofactors = minors[0] * minors[3] - minors[1] * minors[2]
    return cofactors, (Q[0] * cofactors[0]).sum(0)


def rotation_angle(R: np.ndarray) -> np.ndarray:
    """The angle in radians (...) of rotations (..., 3, 3), exact for small ones too."""
    sine = np.stack([R[..., 2, 1] - R[..., 1, 2], R[..., 0, 2] - R[..., 2, 0], R[..., 1, 0] - R[..., 0, 1]], -1)
    return np.arctan2(np.linalg.norm(sine, axis=-1), np.trace(R, axis1=-2, axis2=-1) - 1)
