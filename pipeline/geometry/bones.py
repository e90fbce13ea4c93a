"""Own bone lengths: a person's bones keep their lengths, which corrects the joints of single frames."""

import numpy as np

from pipeline.geometry.triangulation import ROBUST_WIDTH
from pipeline.skeleton import BONES

STEPS = 4
# A bone length is known from this many frames on.
FEWEST_FRAMES = 20


def own_lengths(joints: np.ndarray) -> np.ndarray:
    """Length of each bone (16,) in the unit of one person's joints (F, J, 3): the median; NaN where seen too rarely."""
    lengths = np.linalg.norm(joints[:, BONES[:, 0]] - joints[:, BONES[:, 1]], axis=-1)
    enough = np.isfinite(lengths).sum(0) >= FEWEST_FRAMES
    return np.where(enough, np.nanmedian(np.where(enough, lengths, 0.0), axis=0), np.nan)


def refine(
    joints: np.ndarray,
    rays: np.ndarray,
    sigma: np.ndarray,
    R: np.ndarray,
    t: np.ndarray,
    lengths: np.ndarray,
    tolerance: float,
) -> np.ndarray:
    """Joints (F, J, 3) moved to fit both the rays, robustly, and the bone lengths (16,), to about the tolerance.

    Rays (F, J, V, 2), sigma (F, J, V), one rig R (1, V, 3, 3) or one per frame; NaN joints and lengths take no part.
    Gauss-Newton over all joints of a frame at once; a frame that it does not improve stays as it was.
    """
    known = np.isfinite(joints).all(-1)
    X = np.where(known[..., None], joints, 0.0)
    cost = _cost(X, known, rays, sigma, R, t, lengths, tolerance)
    for _ in range(STEPS):
        A, b = _equations(X, known, rays, sigma, R, t, lengths, tolerance)
        moved = X + np.linalg.solve(A, b[..., None]).reshape(X.shape)
        new_cost = _cost(moved, known, rays, sigma, R, t, lengths, tolerance)
        better = new_cost < cost
        X, cost = np.where(better[:, None, None], moved, X), np.where(better, new_cost, cost)
    return np.where(known[..., None], X, np.nan)


def _image_terms(
    X: np.ndarray, known: np.ndarray, rays: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whitened residuals (F, J, V, 2), 0 where unseen, points in the cameras (F, J, V, 3), and which are used."""
    in_camera = np.einsum("fvij,fnj->fnvi", np.broadcast_to(R, (len(X), *R.shape[1:])), X) + t[:, None]
    used = np.isfinite(rays).all(-1) & np.isfinite(sigma) & known[..., None] & (in_camera[..., 2] > 0)
    safe = np.where(used[..., None], in_camera, 1.0)
    r = (np.where(used[..., None], rays, 0.0) - safe[..., :2] / safe[..., 2:]) / np.where(used, sigma, 1.0)[..., None]
    return np.where(used[..., None], r, 0.0), safe, used


def _bone_terms(X: np.ndarray, known: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How much each bone is too short (F, 16), 0 where unknown, and its direction (F, 16, 3)."""
    bone = X[:, BONES[:, 1]] - X[:, BONES[:, 0]]
    length = np.linalg.norm(bone, axis=-1)
    there = known[:, BONES[:, 0]] & known[:, BONES[:, 1]] & np.isfinite(lengths) & (length > 0)
    return np.where(there, lengths - length, 0.0), np.where(
        there[..., None], bone / np.where(there, length, 1.0)[..., None], 0.0
    )


def _cost(
    X: np.ndarray, known: np.ndarray, rays: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray,
    lengths: np.ndarray, tolerance: float,
) -> np.ndarray:  # fmt: skip
    r2 = (_image_terms(X, known, rays, sigma, R, t)[0] ** 2).sum(-1)
    short, _ = _bone_terms(X, known, lengths)
    image = (r2 / (1 + r2 / ROBUST_WIDTH**2)).sum((1, 2))
    return image + ((short / tolerance) ** 2).sum(1)


def _equations(
    X: np.ndarray, known: np.ndarray, rays: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray,
    lengths: np.ndarray, tolerance: float,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Normal equations (F, 3J, 3J) and right-hand sides (F, 3J) of all joints of each frame."""
    F, J = X.shape[:2]
    r, in_camera, used = _image_terms(X, known, rays, sigma, R, t)
    w = np.where(used, 1 / (1 + (r**2).sum(-1) / ROBUST_WIDTH**2) ** 2, 0.0)
    z = in_camera[..., 2:]
    slope = R[:, None, :, :2] - (in_camera[..., :2] / z)[..., None] * R[:, None, :, 2:]
    D = np.where(used[..., None, None], slope / (z * np.where(used, sigma, 1.0)[..., None])[..., None], 0.0)
    A = np.zeros((F, J, 3, J, 3))
    b = np.einsum("fnv,fnvki,fnvk->fni", w, D, r, optimize=True)
    block = np.einsum("fnv,fnvki,fnvkj->fnij", w, D, D, optimize=True)
    # A joint on which nothing bears keeps its place.
    block += np.where(known, 1e-9 * np.trace(block, axis1=2, axis2=3), 1.0)[..., None, None] * np.eye(3)
    A[:, np.arange(J), :, np.arange(J), :] = np.swapaxes(block, 0, 1)
    short, direction = _bone_terms(X, known, lengths)
    outer = direction[..., :, None] * direction[..., None, :] / tolerance**2
    pull = direction * (short / tolerance**2)[..., None]
    for k, (parent, child) in enumerate(BONES):
        A[:, child, :, child] += outer[:, k]
        A[:, parent, :, parent] += outer[:, k]
        A[:, child, :, parent] -= outer[:, k]
        A[:, parent, :, child] -= outer[:, k]
        b[:, child] += pull[:, k]
        b[:, parent] -= pull[:, k]
    return A.reshape(F, 3 * J, 3 * J), b.reshape(F, 3 * J)
