"""Which frames of a capture differ from each other: calibration learns from those alone."""

import numpy as np

# Frames whose joints lie on average closer than this many standard deviations show the same pose in the same place.
DISTINCT_SIGMAS = 4.0
CLIP_SIGMAS = 25.0
MOST_CANDIDATES = 600


def spread_frames(rays: np.ndarray, sigma: np.ndarray, n: int) -> tuple[np.ndarray, int]:
    """Indices of up to n frames that differ the most, the most different first, and how many of them differ at all.

    Rays are (F, J, V, 2) with sigma (F, J, V). Farthest-point sampling over at most 600 evenly spaced frames; the
    distance is the mean over the joints both frames show, clipped so that outliers do not rule.
    """
    candidates = evenly(len(rays), MOST_CANDIDATES)
    seen = np.isfinite(sigma[candidates]) & np.isfinite(rays[candidates]).all(-1)
    x = np.where(seen[..., None], rays[candidates], 0.0).reshape(len(candidates), -1, 2)
    seen = seen.reshape(len(candidates), -1)
    s = np.where(seen, sigma[candidates].reshape(seen.shape), 1.0)
    chosen = [int(seen.sum(1).argmax())]
    distance = np.full(len(candidates), np.inf)
    n_distinct = 1
    while len(chosen) < min(n, len(candidates)):
        k = chosen[-1]
        both = seen & seen[k]
        apart = np.minimum(np.linalg.norm(x - x[k], axis=-1) / s, CLIP_SIGMAS)
        count = both.sum(1)
        mean = np.where(count > 0, (apart * both).sum(1) / np.maximum(count, 1), 0.0)
        distance = np.minimum(distance, mean)
        distance[k] = -1.0
        following = int(distance.argmax())
        if distance[following] > DISTINCT_SIGMAS:
            n_distinct += 1
        chosen.append(following)
    return candidates[chosen], n_distinct


def evenly(n: int, most: int) -> np.ndarray:
    """Indices of at most `most` of n items, evenly spaced."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int)) if n else np.zeros(0, int)
