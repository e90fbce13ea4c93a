"""Speed of the metrics and of k-means, and stability of the pose structure score.

    python -m bench.metrics [--motion FILE.npz] [--quick] [--json FILE]

Poses are sampled from the motion, or from synthetic people, and seen from all directions; predictions are the truth
with heavy-tailed noise (MPJPE 65 mm). The results are in docs/metrics.md.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from bench.geometry.measure import cpu_seconds
from bench.geometry.simulation import read_motion, synthetic_motion
from pipeline import metrics
from pipeline.pss import fit_reference
from pipeline.pss.fit import complete
from pipeline.pss.stability import own_runs, random_runs, stability

N_POSES = 100_000
N_LOOPED = 3_000  # enough, as the time of the loop per pose is constant
K = 100
N_STUDIED = 25_000
RUNS = 100
NOISE_MM = 14.0


def main(motion: Path | None, quick: bool, target: Path | None) -> None:
    people = synthetic_motion(people=4, seconds=40.0) if motion is None else read_motion(motion)
    bodies = np.concatenate([sequence for person in people for sequence in person])
    true = seen_from_all_directions(bodies, N_POSES, seed=1)
    predicted = noisy(true, seed=2)
    print(
        f"Motion: {motion or 'synthetic'}, {len(bodies):,} frames; predictions {mean_mm(predicted, true):.1f} mm off."
    )
    figures = time_metrics(predicted, true) | time_kmeans(true)
    if not quick:
        study(predicted[:N_STUDIED], true[:N_STUDIED])
    if target is not None:
        target.write_text(json.dumps(figures, indent=2) + "\n")


def seen_from_all_directions(bodies: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Poses (n, joint, 3) of bodies in a world with z up, each in the frame of a level camera in a random direction."""
    rng = np.random.default_rng(seed)
    turns = Rotation.from_rotvec(rng.uniform(0, 2 * np.pi, n)[:, None] * [0, 0, 1]).as_matrix()
    x, y, z = np.moveaxis(np.einsum("nij,nkj->nki", turns, bodies[rng.integers(len(bodies), size=n)]), -1, 0)
    return np.stack([x, -z, y], axis=-1)


def noisy(true: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return true + rng.normal(size=true.shape) * rng.gamma(2, NOISE_MM, size=(*true.shape[:2], 1))


def mean_mm(predicted: np.ndarray, true: np.ndarray) -> float:
    return float(metrics.mean(metrics.mpjpe(predicted, true)))


def time_metrics(predicted: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Time of all metrics of all poses, and of a loop over poses that computes only PA-MPJPE."""
    times = np.arange(len(true)) / 25

    def everything() -> list[float]:
        return [
            float(metrics.mean(metrics.mean(values))) for values in metrics.measure(predicted, true, times).values()
        ]

    def loop() -> list[float]:
        return [procrustes(p, t) for p, t in zip(predicted[:N_LOOPED], true[:N_LOOPED], strict=True)]

    np.testing.assert_allclose(loop(), metrics.pa_mpjpe(predicted[:N_LOOPED], true[:N_LOOPED]))
    ours, theirs = cpu_seconds(everything, 5), cpu_seconds(loop, 5) * len(true) / N_LOOPED
    alone = cpu_seconds(lambda: metrics.pa_mpjpe(predicted, true), 5)
    print(f"\nMetrics of {len(true):,} poses, CPU s on one core")
    print(f"  all {len(metrics.METRICS)} metrics and their means  {ours:6.2f}")
    print(f"  PA-MPJPE alone                {alone:6.2f}")
    print(f"  PA-MPJPE, a loop over poses   {theirs:6.2f}, {theirs / ours:.1f} times all of ours")
    return {"metrics_100k_s": round(ours, 3), "metrics_over_loop": round(theirs / ours, 1)}


def procrustes(predicted: np.ndarray, true: np.ndarray) -> float:
    """PA-MPJPE of one pose (joint, 3), as evaluation scripts write it."""
    p, t = predicted - predicted.mean(0), true - true.mean(0)
    U, d, Vt = np.linalg.svd(t.T @ p)
    side = np.sign(np.linalg.det(U @ Vt))
    U[:, 2] *= side
    d[2] *= side
    scale = d.sum() / (p * p).sum()
    return float(np.linalg.norm(scale * p @ (U @ Vt).T - t, axis=1).mean())


def time_kmeans(true: np.ndarray) -> dict[str, float]:
    """Time and inertia of a reference fitted in two steps, and of scikit-learn's best of ten runs on all poses."""
    poses, found = complete(true), {}

    def ours() -> None:
        found["ours"] = fit_reference(true, K, seed=4).metadata["inertia"]

    def theirs() -> None:
        found["best of ten"] = KMeans(K, n_init=10, random_state=4).fit(poses).inertia_

    seconds = {"ours": cpu_seconds(ours, 1), "best of ten": cpu_seconds(theirs, 1)}
    ratio = found["ours"] / found["best of ten"]
    print(f"\nk-means of {len(poses):,} x {poses.shape[1]}, k = {K}, CPU s on one core")
    for name, one in seconds.items():
        print(f"  {name:12} {one:6.1f}, inertia {found[name]:.1f}")
    print(f"  inertia {ratio - 1:+.2%} of the best of ten")
    return {"kmeans_100k_s": round(seconds["ours"], 2), "kmeans_inertia_ratio": round(float(ratio), 5)}


def study(predicted: np.ndarray, true: np.ndarray) -> None:
    """The paper's study of stability (its figures: IoU 0.78, mPSS +-0.1)."""
    print(f"\nStability of the pose structure score over {RUNS} runs on {len(true):,} poses")
    print("    k  initialised   IoU   mPSS, %   std   lowest  highest")
    for k in (50, 100):
        for name, start in (("at random", random_runs), ("as here", own_runs)):
            found = stability(start(true, k, RUNS, 0), RUNS, predicted, true)
            spread = f"{found.mpss.std():5.2f}  {found.mpss.min():7.2f}  {found.mpss.max():7.2f}"
            print(f"  {k:3}  {name:12} {found.iou.mean():.3f}  {found.mpss.mean():7.2f}  {spread}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--motion", type=Path, help="3D motion to draw poses from; see docs/geometry.md")
    parser.add_argument("--quick", action="store_true", help="end within a minute, without the study of stability")
    parser.add_argument("--json", type=Path, help="write the summary's figures here")
    arguments = parser.parse_args()
    with threadpool_limits(1):
        main(arguments.motion, arguments.quick, arguments.json)
