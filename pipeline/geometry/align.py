"""Alignment of point sets and of rigs by a similarity: rotation, translation and, if wanted, scale."""

import numpy as np

from pipeline.geometry.align_kernels import moments, move, nearest_rotations


def similarity(
    source: np.ndarray, target: np.ndarray, *, scale: bool = True, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The similarity that brings source points nearest to target points in the (weighted) least-squares sense.

    Points are (..., N, 3), weights (..., N); points that are NaN in either set do not count. Returns scale (...),
    rotation (..., 3, 3), never a reflection, and translation (..., 3) with target = scale * R @ source + t; NaN
    where fewer than three points count. Umeyama, "Least-squares estimation of transformation parameters", 1991.
    """
    shape = source.shape[:-2]
    a, b = _flat(source), _flat(target)
    w = np.ones(a.shape[:-1]) if weights is None else np.ascontiguousarray(weights, float).reshape(a.shape[:-1])
    count, a_mean, b_mean, cross, spread = moments(a, b, w)
    R = nearest_rotation(cross)
    s = np.einsum("nij,nij->n", R, cross) / np.maximum(spread, 1e-300) if scale else np.ones(len(spread))
    t = b_mean - s[:, None] * np.einsum("nij,nj->ni", R, a_mean)
    few = count < 3
    s[few], R[few], t[few] = np.nan, np.nan, np.nan
    return s.reshape(shape), R.reshape(*shape, 3, 3), t.reshape(*shape, 3)


def align(
    source: np.ndarray, target: np.ndarray, *, scale: bool = True, weights: np.ndarray | None = None
) -> np.ndarray:
    """The source points (..., N, 3) moved by the similarity that brings them nearest to the target points (..., N, 3).

    Points that are NaN in either set do not count; weights (..., N) are optional. NaN where fewer than three count.
    """
    s, R, t = similarity(source, target, scale=scale, weights=weights)
    points = _flat(source)
    moved = np.empty_like(points)
    move(points, s.ravel(), R.reshape(-1, 3, 3), t.reshape(-1, 3), moved)
    return moved.reshape(source.shape)


def _flat(points: np.ndarray) -> np.ndarray:
    """Sets of points (..., N, 3) one after the other, (B, N, 3)."""
    return np.ascontiguousarray(points, float).reshape(-1, *points.shape[-2:])


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

    By quaternions; where those lose digits, by the singular value decomposition.
    """
    matrices = _flat(M)
    R = np.empty_like(matrices)
    safe = nearest_rotations(matrices, R)
    if not safe.all():
        U, _, Vt = np.linalg.svd(matrices[~safe])
        # The determinant check: without it mirrored poses would be "aligned" by a reflection.
        U[..., :, 2] *= np.sign(np.linalg.det(U) * np.linalg.det(Vt))[..., None]
        R[~safe] = U @ Vt
    return R.reshape(M.shape)


def rotation_angle(R: np.ndarray) -> np.ndarray:
    """The angle in radians (...) of rotations (..., 3, 3), exact for small ones too."""
    sine = np.stack([R[..., 2, 1] - R[..., 1, 2], R[..., 0, 2] - R[..., 2, 0], R[..., 1, 0] - R[..., 0, 1]], -1)
    return np.asarray(np.arctan2(np.linalg.norm(sine, axis=-1), np.trace(R, axis1=-2, axis2=-1) - 1))
