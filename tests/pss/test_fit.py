"""k-means coarse to fine, and the study of its stability."""

import numpy as np
import pytest
from sklearn.cluster import KMeans

from pipeline.pss import clusters, fit_reference
from pipeline.pss.fit import complete
from pipeline.pss.stability import matched_iou, own_runs, random_runs, stability
from pipeline.skeleton import N_JOINTS


def heaps(n=600, k=6, spread=0.05, seed=0):
    """Poses around k far-apart ones, (n, joint, 3), and which."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(k, N_JOINTS, 3)) * 300
    which = rng.integers(k, size=n)
    return middles[which] + rng.normal(size=(n, N_JOINTS, 3)) * 300 * spread, which


def test_heaps_are_found():
    poses, which = heaps()
    reference = fit_reference(poses, 6, seed=1)
    assert matched_iou(clusters(reference, poses), which, 6) == 1


def test_coarse_to_fine_is_as_good_as_ten_starts_on_everything(monkeypatch):
    monkeypatch.setattr("pipeline.pss.fit.SAMPLE", 300)
    rng = np.random.default_rng(3)
    poses = rng.normal(size=(3000, N_JOINTS, 3)) * rng.uniform(0.2, 2, size=(1, N_JOINTS, 3))
    reference = fit_reference(poses, 8, seed=1)
    best = KMeans(8, n_init=10, random_state=0).fit(complete(poses)).inertia_
    assert reference.metadata["inertia"] < 1.01 * best
    # It ends where k-means on all poses stands still: each centre is the mean of its poses.
    found = clusters(reference, poses)
    means = [complete(poses)[found == c].mean(0).reshape(N_JOINTS, 3) for c in range(8)]
    np.testing.assert_allclose(reference.centers, means, atol=2e-3)


def test_what_is_stored_tells_references_apart():
    poses, _ = heaps()
    first, again, other, elsewhere = (
        fit_reference(p, 3, seed).metadata for p, seed in ((poses, 1), (poses, 1), (poses, 2), (poses + poses[:1], 1))
    )
    assert first == again
    assert first["poses_sha256"] == other["poses_sha256"] != elsewhere["poses_sha256"]
    assert first["seed"] != other["seed"]
    assert first["sha256"] != elsewhere["sha256"]


def test_fewer_poses_than_clusters():
    poses, _ = heaps(5)
    poses[0, 3] = np.nan
    with pytest.raises(ValueError, match="5 clusters of 4 poses"):
        fit_reference(poses, 5, seed=1)


def test_matched_iou_by_hand():
    first = np.array([0, 0, 0, 0, 1, 1, -1])
    second = np.array([1, 1, 1, 0, 0, 0, 0])
    # 0 -> 1: three in common of four; 1 -> 0: two in common of three.
    assert matched_iou(first, second, 2) == pytest.approx((3 / 4 + 2 / 3) / 2)
    assert matched_iou(first, first, 2) == 1


@pytest.mark.parametrize("start", [random_runs, own_runs])
def test_runs_on_heaps_agree(start):
    poses, _ = heaps(k=4)
    predicted = poses.copy()
    predicted[:150] = -predicted[:150]
    found = stability(start(poses, 4, 5, seed=0), 5, predicted, poses)
    assert found.iou.shape == (10,)
    assert found.mpss.shape == (5,)
    if start is own_runs:
        assert found.iou.min() == 1
        assert np.ptp(found.mpss) == 0
        assert 75 <= found.mpss[0] < 90


def test_without_predictions_only_clusters_are_compared():
    poses, _ = heaps()
    found = stability(own_runs(poses, 3, 2, seed=0), 2, np.full_like(poses, np.nan), poses)
    assert np.isnan(found.mpss).all()
    assert np.isfinite(found.iou).all()
