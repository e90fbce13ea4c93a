"""Calls the triangulation kernels with arrays in their memory layout and a well-scaled rig."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.geometry.array_layout import as_captured, rig_of_each, stretched


@dataclass(frozen=True)
class Rigs:
    """One rig for all points or one for each batch, moved and scaled so that its cameras lie about the origin."""

    P: np.ndarray  # (G, V, 3, 4) projection matrices [R | t]; zero where a view has no extrinsics
    world: np.ndarray  # (G, 4): the mean of the rig's camera centres, and the length of a unit of P

    @classmethod
    def of(cls, R: np.ndarray, t: np.ndarray) -> "Rigs":
        """The rigs of rotations (G, V, 3, 3) and translations (G, V, 3), NaN where a view has no extrinsics."""
        has_extrinsics = np.isfinite(R).all((-1, -2)) & np.isfinite(t).all(-1)
        R, t = (np.where(has_extrinsics.reshape(*has_extrinsics.shape, *[1] * k), x, 0.0) for k, x in ((2, R), (1, t)))
        n = np.maximum(has_extrinsics.sum(-1, keepdims=True), 1)
        centers = -(np.swapaxes(R, -1, -2) @ t[..., None])[..., 0]
        middle = centers.sum(-2) / n
        away = np.where(has_extrinsics, np.linalg.norm(centers - middle[:, None], axis=-1), 0.0)
        scale = away.sum(-1, keepdims=True) / n
        scale = np.where(scale > 0, scale, 1.0)
        moved = (t + (R @ middle[:, None, :, None])[..., 0]) / scale[..., None]
        return cls(np.concatenate([R, moved[..., None]], -1), np.concatenate([middle, scale], -1))


def solve(
    kernel: Callable[..., None],
    points_norm: np.ndarray,
    sigma: np.ndarray,
    R: np.ndarray,
    t: np.ndarray,
    *options: np.ndarray | float,
) -> np.ndarray:
    """Points (..., N, 3) by a kernel, from image points (..., N, V, 2), sigma (..., N, V) and one rig or several."""
    x = as_captured(points_norm, axis=-3)
    s = as_captured(stretched(sigma, points_norm.shape[:-1]), axis=-2)
    rigs = Rigs.of(*rig_of_each(R, t, points_norm.shape[:-3]))
    points = np.empty((len(x), x.shape[2], 3))
    if points.size:
        kernel(x, s, rigs.P, rigs.world, points, *options)
    return points.reshape(*points_norm.shape[:-2], 3)
