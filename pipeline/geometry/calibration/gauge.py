"""The gauge freedoms of a rig: steps of its cameras that only rotate, translate and scale the world.

The unknowns are, camera by camera, a rotation vector and a translation in the camera's frame.
"""

import numpy as np
from jaxtyping import Float


def gauge_basis(R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The steps (6V, 7) of the cameras that only rotate, translate and scale the world; not orthonormal."""
    V = len(R)
    G = np.zeros((6 * V, 7))
    for v in range(V):
        rotation = R[v]  # of the camera, in its frame, for each axis of the world
        G[6 * v : 6 * v + 3, :3] = rotation
        G[6 * v + 3 : 6 * v + 6, :3] = -np.cross(rotation, t[v], axis=0)
        G[6 * v + 3 : 6 * v + 6, 3:6] = R[v]
        G[6 * v + 3 : 6 * v + 6, 6] = t[v]
    return G


def units_of(R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The unit (6V,) of each unknown: the rig's extent for translations, to make them comparable to rotations."""
    centers = -np.einsum("vji,vj->vi", R, t)
    extent = np.sqrt(((centers - centers.mean(0)) ** 2).sum(-1).mean())
    return np.tile([1.0, 1.0, 1.0, extent, extent, extent], len(R))


def root_of_inverse(S: np.ndarray, free: np.ndarray, units: np.ndarray) -> np.ndarray:
    """A (D, D - 7) with A @ A.T the inverse of S on the orthogonal complement of the columns of `free` (D, 7).

    `free` spans the null space of S. Orthogonality refers to each unknown in its unit (D,).
    """
    basis, _ = np.linalg.qr(free / units[:, None], mode="complete")
    inside = basis[:, free.shape[1] :]
    values, vectors = np.linalg.eigh(inside.T @ (S * units[:, None] * units) @ inside)
    return inside @ vectors / np.sqrt(np.maximum(values, 1e-300)) * units[:, None]


def rotation_of(vector: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 3 3"]:
    """The rotation of a rotation vector, whose length is the angle in radians (Rodrigues)."""
    angle = np.linalg.norm(vector, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(vector, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*x.shape, 3, 3)
    # sinc keeps both coefficients exact at angle 0.
    return np.eye(3) + np.sinc(angle / np.pi) * cross + 0.5 * np.sinc(angle / (2 * np.pi)) ** 2 * cross @ cross
