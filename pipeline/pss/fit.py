"""k-means of poses, coarse to fine: many starts on a sample find the clusters, one run on all poses settles them."""

import hashlib
import logging
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from pipeline.pss.score import SPACE, Reference, normalised
from pipeline.skeleton import N_JOINTS

log = logging.getLogger("epiline")
STARTS = 10  # on the sample; the best is kept
SAMPLE = 10_000  # poses


def fit_reference(poses_mm: np.ndarray, k: int, seed: int, **metadata: Any) -> Reference:
    """Cluster the complete ones of poses (pose, joint, 3) of their cameras' frames; `about` is stored beside the rest.

    Raises ValueError where there are fewer of them than clusters. The same poses, k and seed give the same reference.
    """
    poses = complete(poses_mm)
    if len(poses) < k:
        raise ValueError(f"{k} clusters of {len(poses)} poses")
    with threadpool_limits(1):  # sums over several threads would depend on their number
        sample = poses
        if len(poses) > SAMPLE:
            sample = poses[np.random.default_rng(seed).choice(len(poses), SAMPLE, replace=False)]
        fitted = KMeans(n_clusters=k, n_init=STARTS, random_state=seed).fit(sample)
        if sample is not poses:
            fitted = KMeans(n_clusters=k, init=fitted.cluster_centers_, n_init=1).fit(poses)
    centers = fitted.cluster_centers_.reshape(k, N_JOINTS, 3).astype(np.float32)
    log.info("structure: %d clusters of %d poses, inertia %.4g", k, len(poses), fitted.inertia_)
    return Reference(centers, {
        **SPACE, **metadata, "k": k, "seed": seed, "starts": STARTS, "sample": min(SAMPLE, len(poses)),
        "n_poses": len(poses), "inertia": round(float(fitted.inertia_), 4),
        "poses_sha256": digest(poses), "sha256": digest(centers),
    })  # fmt: skip


def complete(poses_mm: np.ndarray) -> np.ndarray:
    """The poses that lack no joint, normalised and flat, (pose, 3 * joint), in single precision."""
    flat = normalised(poses_mm).reshape(-1, N_JOINTS * 3).astype(np.float32)
    return flat[np.isfinite(flat).all(1)]


def digest(values: np.ndarray) -> str:
    """SHA-256 of an array's values."""
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()
