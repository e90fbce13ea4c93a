"""The study of the stability of the pose structure score."""

import numpy as np
import pytest

from pipeline.pss.stability import matched_iou, own_runs, random_runs, stability
from tests.pss.heaps import heaps


def test_matched_iou_by_hand():
    first = np.array([0, 0, 0, 0, 1, 1, -1])
    second = np.array([1, 1, 1, 0, 0, 0, 0])
    # 0 -> 1: three in common of four; 1 -> 0: two in common of three.
    assert matched_iou(first, second, 2) == pytest.approx((3 / 4 + 2 / 3) / 2)
    assert matched_iou(first, first, 2) == 1


@pytest.mark.parametrize("start", [random_runs, own_runs])
def test_runs_on_separate_groups_agree(start):
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
