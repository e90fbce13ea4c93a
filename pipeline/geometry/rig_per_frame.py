"""A rig for each frame on its own, all its cameras at once: the paper's setting, where nothing is pooled over time."""

import numpy as np

from pipeline.geometry import bundle
from pipeline.geometry.bundle import EXACT
from pipeline.geometry.rig import LEAST_INLIER_SHARE, Rig, adjust_rig
from pipeline.geometry.rig_start import LEAST_PARALLAX_DEG, RigNotFound, Start, grow, of_pair, pair_poses

# Five points determine a pair; fewer than this leave nothing to tell outliers by.
FEWEST_MATCHES = 8


def find_rigs(rays: np.ndarray, sigma: np.ndarray, *, seed: int) -> list[Rig | str]:
    """For each frame its rig, or the reason why there is none; rays (F, J, V, 2), sigma (F, J, V)."""
    return [_find(rays[f], sigma[f], seed) for f in range(len(rays))]


def _find(rays: np.ndarray, sigma: np.ndarray, seed: int) -> Rig | str:
    try:
        pairs = pair_poses(rays, sigma, seed, FEWEST_MATCHES)
    except RigNotFound as error:
        return str(error)
    best = max(pairs, key=lambda p: pairs[p].score)
    R, t = grow(rays, sigma, *of_pair(best, pairs[best], rays.shape[1]), seed)
    start = Start(R, t, 1.0, float("nan"))
    rig = adjust_rig(rays[None], sigma[None], start, bundle.START_WIDTHS, focal=EXACT, pose=np.zeros(1, int))
    if not np.nanmean(rig.inlier_share) >= LEAST_INLIER_SHARE:
        return "too few joints agree with the best rig"
    if not rig.parallax_deg >= LEAST_PARALLAX_DEG:
        return "the views lie too close together"
    return rig
