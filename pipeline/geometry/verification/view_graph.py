"""What each pair of views shares, and which views are linked to the others by nothing or by a single view.

The view graph of structure from motion: views are nodes, pairs of views that see the same points are edges.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from pipeline.shapes import check_shapes

# Two views share a frame if both see at least this many of the same points: five determine a relative pose.
POINTS_OF_FRAME = 5
# Two views that share fewer frames are not linked; of recordings with fewer frames, all must be shared.
FRAMES_OF_LINK = 10
# The spread of points in an image is measured between these percentiles, in both directions.
PERCENTILES = 5, 95


@dataclass(frozen=True)
class ViewGraph:
    """What each pair of views shares; the diagonals are about a view on its own."""

    points: Int[np.ndarray, "view view"]  # points in all frames that both views see
    frames: Int[np.ndarray, "view view"]  # frames in which both see at least POINTS_OF_FRAME of the same points
    spread: Float[np.ndarray, "view view"]  # share of the first view's image that these points cover; NaN: no points
    isolated: Bool[np.ndarray, " view"]  # not linked to the largest group of views
    bridge: Int[np.ndarray, " view"]  # the only view through which a view is linked to the others; -1: there are more


@check_shapes()
def view_graph(
    points_px: Float[np.ndarray, "frame point view 2"],
    seen: Bool[np.ndarray, "frame point view"],
    size_px: Int[np.ndarray, "view 2"],
) -> ViewGraph:
    """Count what pairs of views share; `size_px` are widths and heights, and `points_px` matter only where seen.

    The spread is the area of the box between the 5th and the 95th percentile of the points over the image's area.
    Raises ValueError for shapes that do not fit.
    """
    n = size_px.shape[0]
    is_seen = seen.astype(np.float32)
    of_frame = (np.swapaxes(is_seen, 1, 2) @ is_seen).astype(np.int64)
    points = of_frame.sum(0)
    frames = (of_frame >= POINTS_OF_FRAME).sum(0)
    spread = np.full((n, n), np.nan)
    for a, b in zip(*np.nonzero(points), strict=True):
        low, high = np.percentile(points_px[seen[:, :, a] & seen[:, :, b], a], PERCENTILES, axis=0)
        spread[a, b] = float(np.prod(np.clip((high - low) / size_px[a], 0, 1)))
    linked = _links(frames)
    groups = _groups(linked, np.ones(n, bool))
    largest = max(groups, key=lambda group: (group.sum(), points[np.ix_(group, group)].sum())) if groups else None
    isolated = np.ones(n, bool) if largest is None or largest.sum() < 2 else ~largest
    return ViewGraph(points, frames, spread, isolated, _bridges(linked, isolated))


def _links(frames: np.ndarray) -> Bool[np.ndarray, "view view"]:
    """Which pairs of views share enough frames."""
    shared = np.where(np.eye(len(frames), dtype=bool), 0, frames)
    most = int(shared.max(initial=0))
    return np.asarray((shared >= min(FRAMES_OF_LINK, most)) & (shared > 0))


def _groups(linked: np.ndarray, among: np.ndarray) -> list[np.ndarray]:
    """The groups of linked views, as masks, if only the views `among` exist."""
    groups, left = [], among.copy()
    while left.any():
        group = np.arange(len(left)) == left.argmax()
        while (grown := group | (linked[group].any(0) & among)).sum() > group.sum():
            group = grown
        groups.append(group)
        left &= ~group
    return groups


def _bridges(linked: np.ndarray, isolated: np.ndarray) -> Int[np.ndarray, " view"]:
    """The view without which each view would lose its links to most others; -1 for none."""
    bridge, member = np.full(len(linked), -1), ~isolated
    for v in np.flatnonzero(member):
        groups = _groups(linked, member & (np.arange(len(linked)) != v))
        sizes = [int(group.sum()) for group in groups]
        for group, size in zip(groups, sizes, strict=True):
            if size < max(sizes) or sizes.count(size) > 1:
                bridge[group] = v
    return bridge
