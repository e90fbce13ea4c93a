"""k-means of poses in two steps."""

import numpy as np
import pytest
from sklearn.cluster import KMeans

from pipeline.pss import clusters, fit_reference
from pipeline.pss.fit import complete
from pipeline.pss.stability import matched_iou
from pipeline.skeleton import N_JOINTS
from tests.pss.heaps import heaps


def test_groups_of_poses_are_found():
    poses, which = heaps()
    reference = fit_reference(poses, 6, seed=1)
    assert matched_iou(clusters(reference, poses), which, 6) == 1


def test_two_steps_are_as_good_as_ten_runs_on_all_poses(monkeypatch):
    monkeypatch.setattr("pipeline.pss.fit.SAMPLE", 300)
    rng = np.random.default_rng(3)
    poses = rng.normal(size=(3000, N_JOINTS, 3)) * rng.uniform(0.2, 2, size=(1, N_JOINTS, 3))
    reference = fit_reference(poses, 8, seed=1)
    best = KMeans(8, n_init=10, random_state=0).fit(complete(poses)).inertia_
    assert reference.metadata["inertia"] < 1.01 * best
    # k-means on all poses has converged: each centre is the mean of its poses.
    found = clusters(reference, poses)
    means = [complete(poses)[found == c].mean(0).reshape(N_JOINTS, 3) for c in range(8)]
    np.testing.assert_allclose(reference.centers, means, atol=2e-3)


def test_metadata_distinguish_references():
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
    with pytest.raises(ValueError, match="5 clusters need 5 complete poses, but there are 4"):
        fit_reference(poses, 5, seed=1)
