"""Errors that image points share: how much larger they make the covariance of a rig.

A detector is wrong in the same way over time, by landmark and by viewpoint. Counted as independent, its errors would
cancel out; they do not. Scores are the contributions of points to the right-hand side of the normal equations, in
coordinates in which the equations' matrix is the identity.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Shaped

from pipeline.shapes import check_shapes

# The weight of the mean over all directions in the covariance of shared errors, as few clusters do not determine each
# direction. With two views only the mean is used: in one epipolar residual per point, most of the errors do not show.
# The few blocks of time then scatter too little by chance in one take of three; their variance is not taken below the
# geometric mean of it and that of the landmarks.
POOLING = 0.7
DIRECTIONS_OF_TWO_VIEWS = 7  # the focal lengths included
# Excess of the variance over that of independent errors, relative to it, that is taken half: smaller ones are chance.
HALF_EXCESS = 1.0
# Added to the identity so that a cluster that alone determines a direction can be left out.
TINY_INFORMATION = 0.02
TINY = 1e-30


def variance_inflation_of(
    scores: Float[np.ndarray, "point direction"], groups: Sequence[Shaped[np.ndarray, " point"]]
) -> float:
    """Variance inflation: the scatter of the scores over the scatter expected of independent scores.

    Errors shared in either of two groupings are counted, those shared in both only once (Cameron, Gelbach and Miller,
    Robust inference with multiway clustering, 2011). The inflation is one number for all directions.
    """
    alone = (scores**2).sum()
    if not groups or not alone > 0:
        return 1.0
    both = np.unique(np.stack(groups), axis=1, return_inverse=True)[1].ravel()
    single, shared = [_scatter(scores, group) / alone for group in groups], _scatter(scores, both) / alone
    return max(sum(single) - (len(groups) - 1) * shared, 1.0)


def _scatter(scores: np.ndarray, group: np.ndarray) -> float:
    numbers, index = np.unique(group, return_inverse=True)
    total = np.zeros((len(numbers), scores.shape[1]))
    np.add.at(total, index, scores)
    return float((total**2).sum()) * len(numbers) / max(len(numbers) - 1, 1)


@check_shapes()
def clustered_covariance(
    information: Float[np.ndarray, "landmark block direction direction"],
    score: Float[np.ndarray, "landmark block direction"],
    *,
    variance: float,
    newton: float,
) -> Float[np.ndarray, "direction direction"]:
    """The covariance of an adjustment whose errors are shared by landmarks and by blocks of time.

    `information` and `score` are the normal equations of the points of one landmark in one block, in coordinates in
    which the sum of all matrices (and that of a prior) is the identity. `variance` is the variance of each coordinate
    if all errors are independent, `newton` the factor on a step of the equations that makes it a step of the robust
    cost. Jackknife in one step (CR3: Bell and McCaffrey, Bias reduction in standard errors for linear regression with
    multi-stage samples, 2002): each landmark, and apart from that each block, is left out. Both covariances are added,
    that of leaving out single cells, which both hold, is subtracted (Cameron, Gelbach and Miller, Robust inference with
    multiway clustering, 2011). Raises ValueError for shapes that do not fit.
    """
    n = score.shape[-1]
    single = _jackknife(information.reshape(-1, n, n), score.reshape(-1, n))
    of_blocks, of_landmarks = (_jackknife(information.sum(axis), score.sum(axis)) for axis in (0, 1))
    if n <= DIRECTIONS_OF_TWO_VIEWS:
        of_blocks = of_blocks * max(np.sqrt(np.trace(of_landmarks) / max(np.trace(of_blocks), TINY)), 1.0)
    clustered = of_blocks + of_landmarks - single
    excess = newton**2 * clustered - variance * np.eye(n)
    relative = max(float(np.trace(excess)) / (n * variance), 0.0)
    excess *= relative**2 / (relative**2 + HALF_EXCESS**2)
    pooled = np.trace(excess) / n * np.eye(n)
    pooling = POOLING if n > DIRECTIONS_OF_TWO_VIEWS else 1.0
    values, vectors = np.linalg.eigh((1 - pooling) * excess + pooling * pooled)
    return np.asarray(variance * np.eye(n) + (vectors * np.maximum(values, 0.0)) @ vectors.T)


def _jackknife(information: np.ndarray, score: np.ndarray) -> np.ndarray:
    """The jackknife's covariance (K, K): clusters (n, K, K), (n, K) are left out one by one."""
    used = (score != 0).any(-1)
    n = int(used.sum())
    left = (1 + TINY_INFORMATION) * np.eye(score.shape[1]) - information[used]
    steps = np.linalg.solve(left, score[used][..., None])[..., 0]
    return (n - 1) / max(n, 1) * steps.T @ steps
