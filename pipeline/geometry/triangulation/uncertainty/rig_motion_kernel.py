"""How triangulated points move with errors of the cameras' poses, compiled."""

import numpy as np

from pipeline.compiled import compiled
from pipeline.geometry.camera.projection_kernels import project_point

POSE = 6  # unknowns of a camera: rotation vector, translation


@compiled
def point_motion(
    points: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray, root: np.ndarray, motion: np.ndarray
) -> None:
    """Write the motion (M, N, 3, K) of points (M, N, 3) seen with sigma (M, V, N) for each column of `root` (6 V, K).

    A point is the weighted least-squares point of the views with a finite sigma. Zero where they do not determine it.
    """
    n_unknowns, n_columns = root.shape
    pull = np.empty((3, n_unknowns))
    for m in range(len(points)):
        g = m if len(R) > 1 else 0
        for n in range(points.shape[1]):
            x, y, z = points[m, n]
            A = np.zeros((3, 3))
            pull[:] = 0.0
            for v in range(sigma.shape[1]):
                w = 1 / sigma[m, v, n] ** 2
                if w > 0 and abs(t[g, v, 0]) < np.inf:
                    _add_view(R[g, v], t[g, v], x, y, z, w, A, pull[:, POSE * v : POSE * (v + 1)])
            size = A[0, 0] + A[1, 1] + A[2, 2]
            motion[m, n] = 0.0
            if size < np.inf and np.linalg.det(A) > 1e-12 * size**3:
                step = -np.linalg.inv(A) @ pull
                for i in range(3):
                    for k in range(n_columns):
                        total = 0.0
                        for u in range(n_unknowns):
                            total += step[i, u] * root[u, k]
                        motion[m, n, i, k] = total


@compiled
def _add_view(
    R: np.ndarray, t: np.ndarray, x: float, y: float, z: float, w: float, A: np.ndarray, pull: np.ndarray
) -> None:
    """Add a view to a point's normal matrix, and the change (3, 6) of its right-hand side with the camera's pose."""
    u, q, depth = project_point(
        R[0, 0], R[0, 1], R[0, 2], R[1, 0], R[1, 1], R[1, 2], R[2, 0], R[2, 1], R[2, 2], t[0], t[1], t[2], x, y, z
    )
    if not depth > 0:
        return
    for i in range(2):
        # Derivative of the image coordinate by the point in the camera's frame.
        a0, a1, a2 = (1 / depth if i == 0 else 0.0), (0.0 if i == 0 else 1 / depth), -(u if i == 0 else q) / depth
        c0, c1, c2 = u * depth, q * depth, depth
        turn = (c1 * a2 - c2 * a1, c2 * a0 - c0 * a2, c0 * a1 - c1 * a0)
        for r in range(3):
            world = a0 * R[0, r] + a1 * R[1, r] + a2 * R[2, r]
            for c in range(3):
                A[r, c] += w * world * (a0 * R[0, c] + a1 * R[1, c] + a2 * R[2, c])
                pull[r, c] += w * world * turn[c]
            pull[r, 3] += w * world * a0
            pull[r, 4] += w * world * a1
            pull[r, 5] += w * world * a2
