"""A rig for each frame on its own, all its cameras at once: the paper's setting, where nothing is pooled over time."""

import numpy as np

from pipeline.geometry import bundle, triangulation
from pipeline.geometry.rig import LEAST_INLIER_SHARE, LEAST_PARALLAX_DEG, Rig, RigNotFound, grow, pair_poses, summary

Start = tuple[int, np.ndarray, np.ndarray]  # frame, rotations, translations
# Five points determine a pair; fewer than this leave nothing to tell outliers by.
FEWEST_MATCHES = 8


def find_rigs(rays: np.ndarray, sigma: np.ndarray, *, seed: int) -> list[Rig | str]:
    """For each frame its rig, or the reason why there is none; rays (F, J, V, 2), sigma (F, J, V).

    Pairs are estimated frame by frame, the adjustment runs over many frames at once.
    """
    found: list[Rig | str] = ["too few views"] * len(rays)
    starts: dict[tuple[int, ...], list[Start]] = {}
    for f in range(len(rays)):
        try:
            pairs = pair_poses(rays[f], sigma[f], seed, FEWEST_MATCHES)
        except RigNotFound as error:
            found[f] = str(error)
            continue
        best = max(pairs, key=lambda p: pairs[p].score)
        R, t = grow(rays[f], sigma[f], best, pairs[best], seed)
        views = tuple(int(v) for v in np.flatnonzero(np.isfinite(t).all(-1)))
        starts.setdefault(views, []).append((f, R, t))
    for views, frames in starts.items():
        for f, rig in _adjust(rays, sigma, list(views), frames):
            found[f] = rig
    return found


def _adjust(rays: np.ndarray, sigma: np.ndarray, views: list[int], starts: list[Start]) -> list[tuple[int, Rig | str]]:
    frames = [f for f, _, _ in starts]
    x, s = rays[frames][:, :, views], sigma[frames][:, :, views]
    R, t = np.stack([R[views] for _, R, _ in starts]), np.stack([t[views] for _, _, t in starts])
    adjusted = bundle.adjust(x, s, R, t, triangulation.robust(x, s, R, t), bundle.START_WIDTHS)
    posed = np.isin(np.arange(rays.shape[2]), views)
    rigs = [summary(adjusted, b, x[b], s[b], posed, 1.0) for b in range(len(frames))]
    return [(f, _poor(rig) or rig) for f, rig in zip(frames, rigs, strict=True)]


def _poor(rig: Rig) -> str | None:
    if not np.nanmean(rig.inlier_share) >= LEAST_INLIER_SHARE:
        return "too few joints agree with the best rig"
    if not rig.parallax_deg >= LEAST_PARALLAX_DEG:
        return "the views lie too close together"
    return None
