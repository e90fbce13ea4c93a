"""Arrays in the layout of compiled kernels: contiguous, (batch, view, point, ...), one rig for all batches or each."""

import numpy as np


def as_captured(array: np.ndarray, axis: int) -> np.ndarray:
    """An array (..., N, V, ...) as (M, V, N, ...), not copied if this is its memory layout; `axis` is the axis of N."""
    moved = as_floats(np.swapaxes(array, axis, axis + 1))
    return moved.reshape(int(np.prod(array.shape[:axis])), *moved.shape[axis:])


def stretched(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The array broadcast to a shape; unchanged if it has this shape, as numba recompiles for read-only arrays."""
    return array if array.shape == shape else np.broadcast_to(array, shape)


def rig_of_each(R: np.ndarray, t: np.ndarray, batch: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (G, V, 3, 3) and translations (G, V, 3) with one rig for each batch, or with G = 1 for all."""
    shapes = R.shape[-3:], t.shape[-2:]
    G = 1 if R.size == np.prod(shapes[0]) and t.size == np.prod(shapes[1]) else int(np.prod(batch))
    if G > 1:
        R, t = (stretched(a, (*batch, *shape)) for a, shape in zip((R, t), shapes, strict=True))
    R, t = (np.ascontiguousarray(a, float).reshape(G, *shape) for a, shape in zip((R, t), shapes, strict=True))
    return R, t


def as_floats(array: np.ndarray) -> np.ndarray:
    """The array, contiguous; single precision is kept, other types become double precision."""
    return np.ascontiguousarray(array, None if array.dtype == np.float32 else float)
