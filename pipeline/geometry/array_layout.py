"""Arrays as compiled kernels take them: contiguous, (batch, view, point, ...), with one rig for all batches or each."""

import numpy as np


def as_captured(array: np.ndarray, axis: int) -> np.ndarray:
    """An array (..., N, V, ...) as (M, V, N, ...), without a copy if that is how it lies in memory; N is the axis."""
    moved = as_floats(np.swapaxes(array, axis, axis + 1))
    return moved.reshape(int(np.prod(array.shape[:axis])), *moved.shape[axis:])


def stretched(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The array broadcast to a shape; itself where it has it, as one that may not be written is a type of its own."""
    return array if array.shape == shape else np.broadcast_to(array, shape)


def rig_of_each(R: np.ndarray, t: np.ndarray, batch: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (G, V, 3, 3) and translations (G, V, 3) of all batches, or of one for all."""
    shapes = R.shape[-3:], t.shape[-2:]
    G = 1 if R.size == np.prod(shapes[0]) and t.size == np.prod(shapes[1]) else int(np.prod(batch))
    if G > 1:
        R, t = (stretched(a, (*batch, *shape)) for a, shape in zip((R, t), shapes, strict=True))
    R, t = (np.ascontiguousarray(a, float).reshape(G, *shape) for a, shape in zip((R, t), shapes, strict=True))
    return R, t


def as_floats(array: np.ndarray) -> np.ndarray:
    """Contiguous, in the precision it has; the kernels compute in double precision either way."""
    return np.ascontiguousarray(array, None if array.dtype == np.float32 else float)
