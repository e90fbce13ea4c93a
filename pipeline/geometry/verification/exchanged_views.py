"""Videos that were given to the wrong cameras: found by trying which camera each video fits."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
from jaxtyping import Float

from pipeline.geometry.camera import reprojection
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.geometry.verification.given_residuals import MAX_NOISE, consistent_views
from pipeline.shapes import check_shapes

# Up to this many views all orders are tried, with more views repeated exchanges of two.
MAX_VIEWS_FOR_ALL = 4
MAX_EXCHANGES = 3
# An order is found if its views are consistent and its noise is at most this share of the noise as given.
FAR_LOWER = 0.5
# Of orders whose costs differ by no more than this factor, as in symmetric rigs, the one with the fewest moves counts.
ALIKE = 1.1
WIDTH = 3.0  # scale of the robust cost, in standard deviations


@dataclass(frozen=True)
class Exchange:
    """An order of the videos that fits the cameras far better than the given one."""

    video_of_camera: tuple[int, ...]  # the index of the video that fits each camera
    noise_given: float  # of the worst view, as a multiple of sigma
    noise: float  # the same after the exchange


@check_shapes(no_inf=("points_norm", "R", "t"))
def find_exchange(
    points_norm: Float[np.ndarray, "frame joint video view 2"],
    sigma: Float[np.ndarray, "frame joint video view"],
    R: Float[np.ndarray, "view 3 3"],
    t: Float[np.ndarray, "view 3"],
) -> Exchange | None:
    """Find the order in which the videos fit the cameras, if it fits far better than the given one.

    `points_norm[:, :, i, v]` are the image points of video i, normalised by the intrinsics of camera v. There are as
    many videos as cameras, and all cameras have extrinsics. Raises ValueError for shapes that do not fit, for infinite
    image points and extrinsics, and if there are more or fewer videos than cameras.
    """
    n_views = len(t)
    if points_norm.shape[2] != n_views:
        raise ValueError(f"find_exchange: {points_norm.shape[2]} videos for {n_views} cameras.")
    given = tuple(range(n_views))

    def cost(order: Sequence[int]) -> float:
        return _cost(points_norm[:, :, order, given], sigma[:, :, order, given], R, t)

    def noise(order: Sequence[int]) -> float:
        return consistent_views(points_norm[:, :, order, given], sigma[:, :, order, given], R, t).worst

    if n_views <= MAX_VIEWS_FOR_ALL:
        costs = {order: cost(order) for order in permutations(given)}
        alike = [order for order in costs if costs[order] <= ALIKE * min(costs.values())]
        best = min(alike, key=lambda order: (_n_moved(order), costs[order]))
    else:
        best = given
        for _ in range(MAX_EXCHANGES):
            best = min([best, *(_exchanged(best, i, j) for i, j in combinations(given, 2))], key=cost)
    if best == given:
        return None
    found = Exchange(best, noise(given), noise(best))
    return found if found.noise <= min(FAR_LOWER * found.noise_given, MAX_NOISE) else None


def _n_moved(order: tuple[int, ...]) -> int:
    return sum(video != v for v, video in enumerate(order))


def _exchanged(order: tuple[int, ...], i: int, j: int) -> tuple[int, ...]:
    swapped = list(order)
    swapped[i], swapped[j] = swapped[j], swapped[i]
    return tuple(swapped)


def _cost(points_norm: np.ndarray, sigma: np.ndarray, R: np.ndarray, t: np.ndarray) -> float:
    """Mean Geman-McClure cost, 0 to 1, of the distances from the projections of the triangulated joints."""
    joints = triangulation.robust(points_norm, sigma, R, t)
    distance, _ = reprojection.residuals(joints, points_norm, R, t)
    seen = np.isfinite(sigma) & np.isfinite(points_norm).all(-1) & ~np.isnan(distance)
    if not seen.any():
        return 1.0
    squared = (distance[seen] / (WIDTH * sigma[seen])) ** 2
    return float(np.mean(np.where(np.isinf(squared), 1.0, 1 - 1 / (1 + squared))))
