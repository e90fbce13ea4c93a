"""Poses laid out in a plane by likeness, as the paper's figure of the score's clusters has them."""

import numpy as np
from sklearn.cluster import KMeans
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from pipeline.pss.score import normalised

NEIGHBOURS = 30  # perplexity


def pose_map(poses_mm: np.ndarray, n_groups: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Places by t-SNE (pose, 2) of poses (pose, joint, 3) of cameras' frames, and their groups (pose,).

    Neighbours are alike in structure; distances across the map mean nothing. Groups are those of k-means, numbered
    by size. Kocabas et al., CVPR 2019, figure of the clusters. Raises ValueError for incomplete poses.
    """
    flat = normalised(poses_mm).reshape(len(poses_mm), -1)
    if not np.isfinite(flat).all():
        raise ValueError("Incomplete poses have no place on the map.")
    with threadpool_limits(1):
        groups = KMeans(n_clusters=n_groups, n_init=1, random_state=seed).fit_predict(flat)
        perplexity = min(NEIGHBOURS, (len(flat) - 1) / 3)
        places = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(flat)
    order = np.argsort(-np.bincount(groups, minlength=n_groups), kind="stable")
    return places, np.argsort(order)[groups]
