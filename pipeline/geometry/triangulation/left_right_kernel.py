"""Inner loop of the left-right repair, compiled."""

import numpy as np

from pipeline.compiled import compiled
from pipeline.geometry.camera.projection_kernels import project_point
from pipeline.skeleton import LEFT_JOINTS, MIRROR

SIDES = np.stack([LEFT_JOINTS, MIRROR[LEFT_JOINTS]])
# Scale of the Geman-McClure kernel in standard deviations.
WIDTH = 5.0


@compiled
def add_costs(
    points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray, places: np.ndarray, costs: np.ndarray
) -> None:
    """Write the costs (2, F, 2, pair, V) of image points (F, V, J, 2) against the places (F, pair, 2, 3).

    The first index is 0 for the costs with the names as given, 1 for swapped names; the third is the joint's side.
    """
    for f in range(len(points_norm)):
        g = f if len(R) > 1 else 0
        for v in range(points_norm.shape[1]):
            r00, r01, r02 = R[g, v, 0]
            r10, r11, r12 = R[g, v, 1]
            r20, r21, r22 = R[g, v, 2]
            t0, t1, t2 = t[g, v]
            for pair in range(places.shape[1]):
                for place in range(2):
                    x, y, z = places[f, pair, place]
                    u, q, depth = project_point(r00, r01, r02, r10, r11, r12, r20, r21, r22, t0, t1, t2, x, y, z)
                    for side in range(2):
                        j = SIDES[side, pair]
                        dx, dy = u - points_norm[f, v, j, 0], q - points_norm[f, v, j, 1]
                        scale = WIDTH * sigma[f, v, j]
                        d2 = dx * dx + dy * dy
                        cost = WIDTH * WIDTH * d2 / (d2 + scale * scale) if depth > 0 else WIDTH * WIDTH
                        seen = sigma[f, v, j] < np.inf and (depth <= 0 or d2 >= 0)
                        costs[side ^ place, f, side, pair, v] = cost if seen else 0.0
