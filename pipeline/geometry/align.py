"""Alignment of point sets and of rigs by a similarity: rotation, translation and optionally scale."""

import numpy as np
from jaxtyping import Float

from pipeline.geometry.align_kernels import moments, move, nearest_rotations
from pipeline.shapes import check_shapes


@check_shapes(no_inf=("source", "target"))
def similarity(
    source: Float[np.ndarray, "*batch point 3"],
    target: Float[np.ndarray, "*batch point 3"],
    *,
    scale: bool = True,
    weights: Float[np.ndarray, "*batch point"] | None = None,
) -> tuple[Float[np.ndarray, "*batch"], Float[np.ndarray, "*batch 3 3"], Float[np.ndarray, "*batch 3"]]:
    """Find the similarity that fits source points to target points by (weighted) least squares.

    Returns scale, rotation R (never a reflection) and translation t with target = scale * R @ source + t. Points that
    are NaN in either set are ignored; the result is NaN if fewer than three points remain. Raises ValueError for
    shapes that do not fit and infinite points. Umeyama, Least-squares estimation of transformation parameters, 1991.
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
    source: Float[np.ndarray, "*batch point 3"],
    target: Float[np.ndarray, "*batch point 3"],
    *,
    scale: bool = True,
    weights: Float[np.ndarray, "*batch point"] | None = None,
) -> Float[np.ndarray, "*batch point 3"]:
    """The source points transformed by `similarity`; with the same NaN results and errors."""
    s, R, t = similarity(source, target, scale=scale, weights=weights)
    points = _flat(source)
    moved = np.empty_like(points)
    move(points, s.ravel(), R.reshape(-1, 3, 3), t.reshape(-1, 3), moved)
    return moved.reshape(source.shape)


def _flat(points: np.ndarray) -> np.ndarray:
    """Sets of points (..., N, 3) with all leading dimensions merged, (B, N, 3)."""
    return np.ascontiguousarray(points, float).reshape(-1, *points.shape[-2:])


@check_shapes(no_inf=("R_from", "centers_from", "R_to", "centers_to"))
def rig_similarity(
    R_from: Float[np.ndarray, "view 3 3"],
    centers_from: Float[np.ndarray, "view 3"],
    R_to: Float[np.ndarray, "view 3 3"],
    centers_to: Float[np.ndarray, "view 3"],
) -> tuple[float, Float[np.ndarray, "3 3"], Float[np.ndarray, "3"]]:
    """Scale, rotation Q and shift from one rig's world to another's: x_to = scale * Q @ x_from + shift.

    The rotations R lead from the world to each camera; centres are in the world. Q is the mean over the cameras, as
    the centres of two cameras or of collinear cameras do not determine Q. Cameras that are NaN in either rig are
    ignored; NaN if fewer than two remain. Raises ValueError for shapes that do not fit and infinite values.
    """
    parts = (R_from, centers_from, R_to, centers_to)
    keep = np.all([np.isfinite(x).reshape(len(x), -1).all(-1) for x in parts], axis=0)
    if keep.sum() < 2:
        return float("nan"), np.full((3, 3), np.nan), np.full(3, np.nan)
    R_a, a, R_b, b = (x[keep] for x in parts)
    # R_a = R_b @ Q where Q rotates one world to the other.
    Q = nearest_rotation(np.einsum("vji,vjk->ik", R_b, R_a))
    moved = (a - a.mean(0)) @ Q.T
    scale = float((moved * (b - b.mean(0))).sum() / max((moved**2).sum(), 1e-300))
    return scale, Q, b.mean(0) - scale * Q @ a.mean(0)


def rig_error(
    R_estimated: Float[np.ndarray, "view 3 3"],
    centers_estimated: Float[np.ndarray, "view 3"],
    R_true: Float[np.ndarray, "view 3 3"],
    centers_true: Float[np.ndarray, "view 3"],
) -> tuple[float, float]:
    """Mean rotation error in degrees and mean centre error (unit of the true centres) of a rig's cameras.

    The errors remain after the alignment by `rig_similarity`, so the worlds may differ by a similarity. NaN if fewer
    than two cameras are known in both rigs. Raises ValueError as `rig_similarity` does.
    """
    scale, Q, shift = rig_similarity(R_estimated, centers_estimated, R_true, centers_true)
    if np.isnan(scale):
        return float("nan"), float("nan")
    rotation_deg = np.degrees(rotation_angle(R_estimated @ Q.T @ np.swapaxes(R_true, -1, -2)))
    center = np.linalg.norm(scale * centers_estimated @ Q.T + shift - centers_true, axis=-1)
    keep = np.isfinite(rotation_deg) & np.isfinite(center)
    return float(rotation_deg[keep].mean()), float(center[keep].mean())


@check_shapes(no_inf=("M",))
def nearest_rotation(M: Float[np.ndarray, "*batch 3 3"]) -> Float[np.ndarray, "*batch 3 3"]:
    """The rotation nearest to a matrix, never a reflection.

    Computed by quaternions; where these are inaccurate, by the singular value decomposition. Raises ValueError for
    another shape and for infinite values, for which that decomposition does not end.
    """
    matrices = _flat(M)
    R = np.empty_like(matrices)
    safe = nearest_rotations(matrices, R)
    if not safe.all():
        U, _, Vt = np.linalg.svd(matrices[~safe])
        # Without the sign of the determinant, mirrored poses would be aligned by a reflection.
        U[..., :, 2] *= np.sign(np.linalg.det(U) * np.linalg.det(Vt))[..., None]
        R[~safe] = U @ Vt
    return R.reshape(M.shape)


@check_shapes(no_inf=("R",))
def rotation_angle(R: Float[np.ndarray, "*batch 3 3"]) -> Float[np.ndarray, "*batch"]:
    """The angle of rotations in radians, also accurate for small angles.

    Raises ValueError for another shape and for infinite values.
    """
    sine = np.stack([R[..., 2, 1] - R[..., 1, 2], R[..., 0, 2] - R[..., 2, 0], R[..., 1, 0] - R[..., 0, 1]], -1)
    return np.asarray(np.arctan2(np.linalg.norm(sine, axis=-1), np.trace(R, axis1=-2, axis2=-1) - 1))
