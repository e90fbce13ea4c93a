"""Inner loop of frame sampling, compiled."""

import numpy as np

from pipeline.compiled import compiled

CLIP_SIGMAS = 25.0  # the largest distance of a detection, so that outliers do not dominate


@compiled
def mean_distances(x: np.ndarray, inverse: np.ndarray, own: np.ndarray, own_inverse: np.ndarray) -> np.ndarray:
    """Mean clipped distance (F,) of detections x (F, N, 2) in standard deviations from those of one frame (N, 2).

    The mean is over the detections that both frames have; CLIP_SIGMAS if they have none in common.
    """
    F, N = inverse.shape
    mean = np.zeros(F)
    for f in range(F):
        count = 0
        for n in range(N):
            if inverse[f, n] > 0 and own_inverse[n] > 0:
                dx, dy = x[f, n, 0] - own[n, 0], x[f, n, 1] - own[n, 1]
                mean[f] += min(np.sqrt(dx * dx + dy * dy) * inverse[f, n], CLIP_SIGMAS)
                count += 1
        mean[f] = mean[f] / count if count else CLIP_SIGMAS
    return mean
