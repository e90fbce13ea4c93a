"""Left-out detections miss their predictions by what noise and rig explain."""

import numpy as np
import pytest

from pipeline.geometry.triangulation.uncertainty.left_out_views import leave_views_out
from pipeline.geometry.triangulation.uncertainty.rig_motion import pose_root
from tests.geometry.triangulation.uncertainty.scenes import scene
from tests.geometry.triangulation.uncertainty.test_rig_motion import moved_rig

KNOWN = np.zeros((24, 0))


def left_out(here, root=KNOWN):
    return leave_views_out(here.label, here.points_norm, here.sigma, here.limit, here.R, here.t, root)


@pytest.mark.parametrize("n_views", [3, 4])
def test_expected_noise_is_found(n_views):
    here = scene(200, n_views)
    found = left_out(here, np.zeros((6 * n_views, 0)))
    assert np.nanmean(found.squared) == pytest.approx(2, rel=0.08)
    assert (found.rest.dof[np.isfinite(found.squared)] == 2 * (n_views - 1) - 3).all()
    assert (found.by_rig[np.isfinite(found.squared)] == 0).all()


def test_a_noisy_joint_and_view_show():
    factor = np.ones((17, 4, 1))
    factor[9], factor[3, 2] = 3.0, 3.0
    squared = np.nanmean(left_out(scene(200, noise=factor)).squared, axis=0)
    assert squared[9].mean() == pytest.approx(2 * 9, rel=0.15)
    assert squared[3, 2] > 3 * np.delete(squared[3], 2).mean()
    assert np.delete(squared, (3, 9), 0).mean() == pytest.approx(2, rel=0.1)


def test_the_rig_explains_what_a_wrong_rig_does():
    exact = scene(30, noise=0.0)
    std = np.tile([0.01, 0.01, 0.01, 0.0, 0.0, 0.0], 4)
    root, rng = pose_root(np.diag(std**2)), np.random.default_rng(3)
    found = []
    for _ in range(12):
        R, t = moved_rig(exact.R, exact.t, std * rng.normal(size=24))
        one = left_out(type(exact)(exact.joints, exact.points_norm, R, t), root)
        found.append((np.nanmean(one.squared), np.nanmean(one.by_rig)))
    squared, by_rig = np.mean(found, axis=0)
    assert squared > 4
    assert by_rig == pytest.approx(squared, rel=0.35)


def test_two_views_leave_nothing_and_outliers_are_not_compared():
    assert np.isnan(left_out(scene(5, 2), np.zeros((12, 0))).squared).all()
    here = scene(20)
    here.points_norm[:, 2, 0] += 0.5
    assert np.isnan(left_out(here).squared[:, 2, 0]).all()
    assert np.isfinite(left_out(here).squared[:, 2, 1:]).all()
