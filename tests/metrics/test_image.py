"""Errors in the image against cases worked out by hand."""

import numpy as np
import pytest

from pipeline import metrics
from pipeline.geometry.camera.model import Camera, project
from pipeline.skeleton import JOINTS, LIMB_JOINTS, MIRROR, N_JOINTS, joint
from tests.metrics.poses import poses


def stick_figure():
    """Joints in px inside a box of 100 x 200, left and right 40 px apart."""
    px = np.zeros((N_JOINTS, 2))
    px[:, 1] = np.linspace(0, 200, N_JOINTS)
    for j, name in enumerate(JOINTS):
        px[j, 0] = {"l_": 70.0, "r_": 30.0}.get(name[:2], 50.0)
        if name.startswith("r_"):
            px[j, 1] = px[MIRROR[j], 1]
    px[joint("head")] = [100, 200]
    px[joint("pelvis")] = [0, 0]
    return px


def test_errors_in_the_image_by_hand():
    true = stick_figure()
    assert metrics.box_sides_px(true) == 200
    predicted = true.copy()
    predicted[joint("head")] += [6, 8]
    errors = metrics.box_errors_percent(predicted, true)
    assert errors[joint("head")] == 5
    assert np.delete(errors, joint("head")).max() == 0


def test_swaps_by_hand():
    true = stick_figure()
    assert np.nanmax(metrics.swaps_percent(true, true)) == 0
    predicted = true.copy()
    wrists = [joint("l_wrist"), joint("r_wrist")]
    predicted[wrists] = predicted[wrists[::-1]]
    assert metrics.mean(metrics.swaps_percent(predicted, true)) == pytest.approx(100 / 6)
    predicted[joint("l_knee")] = np.nan
    assert metrics.mean(metrics.swaps_percent(predicted, true)) == pytest.approx(100 / 5)


def test_overlapping_limbs_cannot_be_swapped():
    true = stick_figure()
    true[joint("l_wrist")] = true[joint("r_wrist")] + [9, 0]  # under 5 % of the box
    swaps = metrics.swaps_percent(true[MIRROR], true)
    assert np.isnan(swaps).sum() == 1
    assert np.nanmin(swaps) == 100


def test_box_of_a_pose_without_joints():
    assert np.isnan(metrics.box_sides_px(np.full((N_JOINTS, 2), np.nan)))


def test_reprojection_by_hand():
    K = np.array([[1000.0, 0, 500], [0, 1000, 400], [0, 0, 1]])
    pose = poses(1, 1)[0] * [1, 1, 0] + [0, 0, 2000.0]
    observed = pose[:, :2] / 2 + [500, 400] + [3, 4]
    errors = metrics.reprojection_errors(pose, observed, Camera(K, np.zeros(0), (1000, 800)))
    np.testing.assert_allclose(errors, 5)
    bent = Camera(K, np.array([-0.2, 0, 0, 0, 0]), (1000, 800))
    np.testing.assert_allclose(metrics.reprojection_errors(pose, project(pose, bent.K, bent.dist), bent), 0, atol=1e-9)


def test_pckh_by_hand():
    true = stick_figure()
    true[[joint("neck"), joint("head")]] = [[50, 20], [50, 0]]
    head = metrics.head_lengths_px(true)
    assert head == 20
    predicted = true.copy()
    predicted[joint("l_wrist")] += [6, 8]  # 10 px: half a head, within
    predicted[joint("r_wrist")] += [6, 8.1]
    predicted[joint("l_knee")] = np.nan  # not found: a miss
    predicted[joint("pelvis")] += 500  # not among MPII's
    scores = metrics.pckh(predicted, true, head)
    assert {JOINTS[j] for j in np.flatnonzero(np.isnan(scores))} == {"pelvis", "spine", "thorax"}
    assert metrics.mean(scores) == pytest.approx(100 * 12 / 14)
    true[joint("head")] = np.nan
    assert np.isnan(metrics.pckh(predicted, true, metrics.head_lengths_px(true))).all()


def test_oks_by_hand():
    true = stick_figure()
    area = metrics.person_areas_px2(true)
    assert area == pytest.approx(0.53 * 100 * 200)
    predicted = true.copy()
    predicted[joint("head")] += 500  # COCO has no top of the head
    assert metrics.mean(metrics.oks(predicted, true, area)) == 100
    # One standard deviation, 2 * 0.062 * sqrt(area): exp(-1/2).
    predicted[joint("l_wrist"), 0] += 2 * 0.062 * np.sqrt(area)
    predicted[joint("r_ankle")] = np.nan
    scores = metrics.oks(predicted, true, area)
    assert scores[joint("l_wrist")] == pytest.approx(100 * np.exp(-0.5))
    assert scores[joint("r_ankle")] == 0
    assert metrics.mean(scores) == pytest.approx(100 * (10 + np.exp(-0.5)) / 12)
    assert np.isfinite(scores).sum() == len(LIMB_JOINTS)


def test_a_truth_without_joints_has_no_score():
    nothing = np.full((3, N_JOINTS, 2), np.nan)
    detected = np.zeros((3, N_JOINTS, 2))
    assert np.isnan(metrics.oks(detected, nothing, metrics.person_areas_px2(nothing))).all()
    assert np.isnan(metrics.pckh(detected, nothing, metrics.head_lengths_px(nothing))).all()
