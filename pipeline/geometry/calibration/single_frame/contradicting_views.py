"""Views that contradict the others of a frame, such as one with left and right swapped or with another person.

A single rig bends to such a view, as one frame has few points. So the cost of a view is compared with the cost that the
same view has in other frames.
"""

import numpy as np

from pipeline.geometry.calibration.initial_rig import Pairs
from pipeline.geometry.calibration.single_frame.body_prior import LengthPrior
from pipeline.geometry.calibration.single_frame.frame_adjustment import LAST_WIDTH, FrameRig, best_rig, starts_of

# A view is suspicious above this multiple of its median cost, and is left out if the rest of the frame then costs less
# than this share per degree of freedom.
SUSPICIOUS, ACCEPTED = 2.5, 0.8
# The number of views that are tried, the most suspicious first, and of starts without each.
TRIED_VIEWS, TRIED_STARTS = 2, 2


def cost_of_views(points_norm: np.ndarray, sigma: np.ndarray, rig: FrameRig, noise: float) -> np.ndarray:
    """Mean robust cost (V,) of the image points of each view of a frame; NaN for a view without a point."""
    squared = rig.squared_distances(points_norm, sigma * noise)
    known = np.isfinite(squared)
    costs = np.where(known, squared, 0.0) / (1 + np.where(known, squared, 0.0) / LAST_WIDTH**2)
    return np.where(known.any(0), costs.sum(0) / np.maximum(known.sum(0), 1), np.nan)


def leave_out_views(
    points_norm: np.ndarray, sigma: np.ndarray, rig: FrameRig, pairs: Pairs, prior: LengthPrior,
    *, noise: float, typical: np.ndarray, seed: int,
) -> FrameRig:  # fmt: skip
    """The rig of a frame without the views that contradict the others; `typical` (V,) are the views' median costs."""
    while rig.views.sum() > 2:
        share = cost_of_views(points_norm, sigma, rig, noise) / typical
        share = np.where(rig.views & np.isfinite(share), share, 0.0)
        if not share.max() > SUSPICIOUS:
            break
        without = []
        for view in np.argsort(-share, kind="stable")[:TRIED_VIEWS]:
            kept = rig.views & (np.arange(len(share)) != view)
            own = {pair: pose for pair, pose in pairs.items() if kept[list(pair)].all()}
            if own:
                rest = np.where(kept, sigma, np.inf)
                starts = starts_of(points_norm, rest, own, seed, TRIED_STARTS)
                found = best_rig(points_norm, rest, starts, prior, noise)
                without.append((found.cost_per_freedom(points_norm, rest), found))
        limit = ACCEPTED * rig.cost_per_freedom(points_norm, sigma)
        if not without or not min(cost for cost, _ in without) < limit:
            break
        rig = min(without, key=lambda one: one[0])[1]
    return rig
