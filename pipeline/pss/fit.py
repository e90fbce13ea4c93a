"""k-means of poses in two steps: the best of several runs on a sample initialises one run on all poses."""

import hashlib
import logging
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from pipeline.pss.score import SPACE, Reference, normalised
from pipeline.skeleton import N_JOINTS

log = logging.getLogger("epiline")
RUNS = 10  # on the sample
SAMPLE = 10_000  # poses


def fit_reference(poses_mm: np.ndarray, k: int, seed: int, **metadata: Any) -> Reference:
    """Cluster the complete poses among poses (pose, joint, 3) in camera frames; `metadata` is stored in the reference.

    The same poses, k and seed give the same reference. Raises ValueError for fewer complete poses than clusters.
    """
    poses = complete(poses_mm)
    if len(poses) < k:
        raise ValueError(f"{k} clusters need {k} complete poses, but there are {len(poses)}.")
    with threadpool_limits(1):  # with several threads the result depends on their number
        sample = poses
        if len(poses) > SAMPLE:
            sample = poses[np.random.default_rng(seed).choice(len(poses), SAMPLE, replace=False)]
        fitted = KMeans(n_clusters=k, n_init=RUNS, random_state=seed).fit(sample)
        if sample is not poses:
            fitted = KMeans(n_clusters=k, init=fitted.cluster_centers_, n_init=1).fit(poses)
    centers = fitted.cluster_centers_.reshape(k, N_JOINTS, 3).astype(np.float32)
    log.info("PSS: %d clusters of %d poses, inertia %.4g", k, len(poses), fitted.inertia_)
    return Reference(centers, {
        **SPACE, **metadata, "k": k, "seed": seed, "starts": RUNS, "sample": min(SAMPLE, len(poses)),
        "n_poses": len(poses), "inertia": round(float(fitted.inertia_), 4),
        "poses_sha256": digest(poses), "sha256": digest(centers),
    })  # fmt: skip


def complete(poses_mm: np.ndarray) -> np.ndarray:
    """The poses without missing joints, normalised, flattened to (pose, 3 * joint), in single precision."""
    flat = normalised(poses_mm).reshape(-1, N_JOINTS * 3).astype(np.float32)
    return flat[np.isfinite(flat).all(1)]


def digest(values: np.ndarray) -> str:
    """SHA-256 of an array's values."""
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()
