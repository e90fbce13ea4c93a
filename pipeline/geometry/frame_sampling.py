"""Choice of frames: those whose poses differ, and frames or windows spread evenly over a recording."""

import numpy as np
from jaxtyping import Float, Int

from pipeline.geometry.frame_sampling_kernel import mean_distances
from pipeline.shapes import check_shapes

# Frames show the same pose in the same place if their joints differ by fewer standard deviations on average.
DISTINCT_SIGMAS = 4.0
MAX_CANDIDATES = 600


@check_shapes(no_inf=("points_norm",))
def diverse_frames(
    points_norm: Float[np.ndarray, "frame joint view 2"], sigma: Float[np.ndarray, "frame joint view"], n: int
) -> tuple[Int[np.ndarray, " chosen"], int]:
    """Indices of up to n frames that differ the most, the most different first, and the number of distinct poses.

    The normalised image points have standard deviations sigma, infinite where not seen. Farthest-point sampling over at
    most 600 evenly spaced frames; the distance is the mean over the detections that both frames have, clipped so that
    outliers do not dominate. Raises ValueError for shapes that do not fit and infinite image points.
    """
    if not len(points_norm):
        return np.zeros(0, int), 0
    candidates = linspace_indices(len(points_norm), MAX_CANDIDATES)
    x, inverse = _whitened(points_norm[candidates], sigma[candidates])
    n_seen = (inverse > 0).sum(1)
    chosen = [int(n_seen.argmax())]
    # A frame without detections is not a candidate.
    nearest = np.where(n_seen > 0, np.inf, -1.0)
    n_distinct = 1
    while len(chosen) < min(n, int(np.count_nonzero(n_seen))):
        nearest = np.minimum(nearest, mean_distances(x, inverse, x[chosen[-1]], inverse[chosen[-1]]))
        nearest[chosen[-1]] = -1.0
        following = int(nearest.argmax())
        if nearest[following] > DISTINCT_SIGMAS:
            n_distinct += 1
        chosen.append(following)
    return candidates[chosen], n_distinct


@check_shapes(no_inf=("points_norm", "examples"))
def nearest_exemplar(
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    examples: Float[np.ndarray, "example joint view 2"],
    examples_sigma: Float[np.ndarray, "example joint view"],
) -> Int[np.ndarray, " frame"]:
    """The index of the example frame that each frame is nearest to, by the distance of `diverse_frames`."""
    x, inverse = _whitened(points_norm, sigma)
    own = zip(*_whitened(examples, examples_sigma), strict=True)
    return np.argmin([mean_distances(x, inverse, *example) for example in own], axis=0)


def linspace_indices(n: int, most: int) -> Int[np.ndarray, " chosen"]:
    """Indices of at most `most` of n items, evenly spaced."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int)) if n else np.zeros(0, int)


def spread_windows(n_frames: int, count: int, length: int) -> list[tuple[int, int]]:
    """First frame and end of at most `count` windows of `length` frames, spread evenly, which do not overlap.

    If the windows can hold all frames, they cover all frames.
    """
    if n_frames <= count * length:
        return [(start, min(start + length, n_frames)) for start in range(0, n_frames, length)]
    starts = np.linspace(0, n_frames - length, count).round().astype(int)
    return [(int(start), int(start) + length) for start in starts]


def _whitened(points_norm: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    seen = np.isfinite(sigma) & np.isfinite(points_norm).all(-1)
    inverse = np.where(seen, 1 / np.where(seen, sigma, 1.0), 0.0).reshape(len(points_norm), -1)
    return np.where(seen[..., None], points_norm, 0.0).reshape(len(points_norm), -1, 2), inverse
