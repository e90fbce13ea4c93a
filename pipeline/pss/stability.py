"""The paper's study of stability: similarity of the clusters of many k-means runs, and variation of the score."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from pipeline.progress import progress
from pipeline.pss.fit import complete, fit_reference
from pipeline.pss.score import Reference, clusters, pss
from pipeline.skeleton import N_JOINTS


@dataclass(frozen=True)
class Stability:
    """The agreement of many runs of k-means."""

    k: int
    iou: np.ndarray  # (pair,) mean intersection over union of the matched clusters of each pair of runs
    mpss: np.ndarray  # (run,) mean score in percent; NaN without complete predictions


def random_runs(poses_mm: np.ndarray, k: int, runs: int, seed: int) -> Iterable[Reference]:
    """References as in the paper: single k-means runs from centres drawn at random among the poses (pose, joint, 3)."""
    poses = complete(poses_mm)
    for run in range(runs):
        with threadpool_limits(1):
            fitted = KMeans(n_clusters=k, init="random", n_init=1, random_state=seed + run).fit(poses)
        yield Reference(fitted.cluster_centers_.reshape(k, N_JOINTS, 3).astype(float), {})


def own_runs(poses_mm: np.ndarray, k: int, runs: int, seed: int) -> Iterable[Reference]:
    """References by `fit_reference`, each with another seed."""
    return (fit_reference(poses_mm, k, seed + run) for run in range(runs))


def stability(references: Iterable[Reference], runs: int, predicted_mm: np.ndarray, true_mm: np.ndarray) -> Stability:
    """Compare the clusters of each pair of references on true poses, and score predicted poses by each reference.

    Poses are (pose, joint, 3). See `matched_iou` for the comparison.
    """
    k, found, scores = 0, [], []
    for reference in progress(references, "stability", total=runs, unit="run"):
        k = reference.k
        found.append(clusters(reference, true_mm))
        score = pss(reference, predicted_mm, true_mm)
        scores.append(100 * np.nanmean(score) if np.isfinite(score).any() else np.nan)
    pairs = combinations(found, 2)
    n_pairs = len(found) * (len(found) - 1) // 2
    iou = [matched_iou(a, b, k) for a, b in progress(pairs, "matching", total=n_pairs, unit="pair")]
    return Stability(k, np.array(iou), np.array(scores))


def matched_iou(first: np.ndarray, second: np.ndarray, k: int) -> float:
    """Mean intersection over union (IoU) of two clusterings (pose,) of the same poses.

    Clusters are matched one to one with the largest sum of IoU (Hungarian method). Poses without a cluster (-1) in
    either clustering are ignored.
    """
    both = (first >= 0) & (second >= 0)
    shared = np.bincount(first[both] * k + second[both], minlength=k * k).reshape(k, k)
    union = shared.sum(1)[:, None] + shared.sum(0)[None] - shared
    iou = shared / np.maximum(union, 1)
    rows, columns = linear_sum_assignment(iou, maximize=True)
    return float(iou[rows, columns].mean())
