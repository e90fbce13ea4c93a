"""A map of poses in the plane by t-SNE, as in the paper's figure of the clusters."""

import numpy as np
from sklearn.cluster import KMeans
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from pipeline.pss.score import normalised

PERPLEXITY = 30


def pose_map(poses_mm: np.ndarray, n_groups: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (pose, 2) by t-SNE of poses (pose, joint, 3) in camera frames, and their groups (pose,) by k-means.

    Near points are similar poses; larger distances have no meaning. Groups are numbered by size, the largest first.
    Raises ValueError for incomplete poses.
    """
    flat = normalised(poses_mm).reshape(len(poses_mm), -1)
    if not np.isfinite(flat).all():
        raise ValueError("The map needs complete poses, but some joints are missing.")
    with threadpool_limits(1):
        groups = KMeans(n_clusters=n_groups, n_init=1, random_state=seed).fit_predict(flat)
        perplexity = min(PERPLEXITY, (len(flat) - 1) / 3)
        points = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(flat)
    order = np.argsort(-np.bincount(groups, minlength=n_groups), kind="stable")
    return points, np.argsort(order)[groups]
