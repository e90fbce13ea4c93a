"""Errors of 3D poses against cases worked out by hand and against other ways to compute them."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation

from pipeline import metrics
from pipeline.skeleton import JOINTS, N_JOINTS, ROOT, joint
from tests.metrics.poses import moved, poses


def test_mpjpe_by_hand():
    true = poses(1)
    predicted = true + np.array([500, 0, 0])  # moving the whole pose costs nothing
    predicted[:, joint("head")] += [3, 4, 0]
    np.testing.assert_allclose(metrics.mpjpe(predicted, true), 5 / 17)
    predicted[:, ROOT] += [0, 0, 34]  # moving the root moves all the others against it
    away = (15 * 34 + np.hypot(5, 34)) / 17
    np.testing.assert_allclose(metrics.mpjpe(predicted, true), away)


def test_missing_joints_count_in_no_mean():
    true = poses(1)
    predicted = true.copy()
    predicted[:, joint("head")] += [17, 0, 0]
    predicted[:, joint("l_wrist")] = np.nan
    np.testing.assert_allclose(metrics.mpjpe(predicted, true), 17 / 16)
    predicted[0] = np.nan
    for metric in (metrics.mpjpe, metrics.n_mpjpe, metrics.pa_mpjpe):
        np.testing.assert_array_equal(np.isnan(metric(predicted, true)), [True] + 4 * [False])


def test_without_a_root_only_the_aligned_metric_applies():
    true, predicted = poses(1), poses(2)
    predicted[:, ROOT] = np.nan
    assert np.isnan(metrics.mpjpe(predicted, true)).all()
    assert np.isnan(metrics.n_mpjpe(predicted, true)).all()
    assert np.isfinite(metrics.pa_mpjpe(predicted, true)).all()


def test_scale_is_the_least_squares_one():
    true, predicted = poses(1, 1), poses(1, 1) * 0.7 + poses(2, 1) * 0.2
    t, p = metrics.root_centred(true), metrics.root_centred(predicted)
    best = minimize_scalar(lambda s: np.sum((s * p - t) ** 2)).x
    expected = np.linalg.norm(best * p - t, axis=-1).mean()
    np.testing.assert_allclose(metrics.n_mpjpe(predicted, true), expected, rtol=1e-6)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.01, 100))
def test_the_transformations_that_each_metric_ignores(seed, scale):
    true = poses(seed)
    np.testing.assert_allclose(metrics.n_mpjpe(scale * true + np.array([1, 2, 3]), true), 0, atol=1e-6)
    np.testing.assert_allclose(metrics.pa_mpjpe(moved(true, seed, scale), true), 0, atol=1e-6)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_alignment_does_not_depend_on_how_the_prediction_lies(seed):
    true, predicted = poses(seed), poses(seed + 1)
    np.testing.assert_allclose(
        metrics.pa_mpjpe(predicted, true), metrics.pa_mpjpe(moved(predicted, seed, 3.0), true), rtol=1e-6
    )


@pytest.mark.parametrize("seed", range(5))
def test_similarity_agrees_with_scipy(seed):
    true, predicted = poses(seed, 1)[0], poses(seed + 10, 1)[0]
    t, p = true - true.mean(0), predicted - predicted.mean(0)
    turned = Rotation.align_vectors(t, p)[0].apply(p)  # Kabsch: the best rotation for any scale
    expected = turned * np.sum(turned * t) / np.sum(turned**2) + true.mean(0)
    np.testing.assert_allclose(metrics.similarity_aligned(predicted, true), expected, atol=1e-6)


def test_similarity_is_a_minimum():
    true, predicted = poses(3, 1)[0], poses(4, 1)[0]
    aligned = metrics.similarity_aligned(predicted, true)
    least = np.sum((aligned - true) ** 2)
    rng = np.random.default_rng(0)
    for _ in range(50):
        R = Rotation.from_rotvec(rng.normal(size=3) * 0.01).as_matrix()
        other = (1 + rng.normal() * 0.01) * aligned @ R.T + rng.normal(size=3)
        assert np.sum((other - true) ** 2) > least


def test_a_mirrored_pose_has_an_error():
    true = poses(5)
    assert (metrics.pa_mpjpe(true * [-1, 1, 1], true) > 20).all()


def test_too_few_joints_for_an_alignment():
    true = poses(1)
    predicted = true.copy()
    predicted[:, 2:] = np.nan
    assert np.isnan(metrics.pa_mpjpe(predicted, true)).all()


def test_pck_and_auc_by_hand():
    true = np.zeros((2, N_JOINTS, 3))
    predicted = true.copy()
    predicted[0, joint("head")] = [150, 0, 0]  # on the threshold: within
    predicted[0, joint("l_wrist")] = [151, 0, 0]
    predicted[0, joint("neck")] = [999, 0, 0]  # not among the 14 joints
    predicted[1, joint("l_wrist")] = np.nan  # a joint that was not found is a miss
    np.testing.assert_allclose(metrics.pck(predicted, true), [100 * 13 / 14, 100 * 13 / 14])
    # 12 joints are right at every threshold, the head at the last of the 31 alone.
    np.testing.assert_allclose(metrics.auc(predicted, true)[0], 100 * (12 + 1 / 31) / 14)
    np.testing.assert_allclose(metrics.pck(predicted, true, 150.9999)[0], 100 * 13 / 14)


def test_pck_where_the_truth_lacks_a_joint():
    true = np.zeros((N_JOINTS, 3))
    true[joint("head")] = np.nan
    assert metrics.pck(np.zeros((N_JOINTS, 3)), true) == 100


def test_pck_joints():
    left_out = {JOINTS[j] for j in range(N_JOINTS)} - {JOINTS[j] for j in metrics.PCK_JOINTS}
    assert left_out == {"pelvis", "spine", "neck"}


def test_pck_after_an_alignment():
    true = poses(1)
    assert (metrics.pck(0.1 * true, true) < 100).all()
    assert (metrics.pck(0.1 * true, true, alignment="scale") == 100).all()
    turned = moved(true, scale=2.0)
    assert (metrics.pck(turned, true, alignment="scale") < 100).all()
    assert (metrics.pck(turned, true, alignment="similarity") == 100).all()
    np.testing.assert_allclose(metrics.auc(turned, true, alignment="similarity"), 100 * 30 / 31)  # not within 0 mm


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_auc_is_the_mean_of_the_curve(seed):
    true, predicted = poses(seed), poses(seed) + poses(seed + 1) * 0.3
    predicted[0, joint("head")] = np.nan
    true[1, joint("l_knee")] = np.nan
    for alignment in ("root", "scale", "similarity"):
        curve = metrics.pck_curve(predicted, true, metrics.AUC_THRESHOLDS_MM, alignment)
        np.testing.assert_allclose(metrics.auc(predicted, true, alignment), curve.mean(-1))


def test_subsets_are_those_of_the_papers():
    left_out = [{JOINTS[j] for j in range(N_JOINTS)} - {JOINTS[j] for j in subset}
                for subset in (metrics.JOINTS_16, metrics.JOINTS_14)]  # fmt: skip
    assert left_out == [{"spine"}, {"spine", "neck", "head"}]


def test_a_subset_is_aligned_by_its_own_joints():
    true, predicted = poses(1), moved(poses(1), scale=1.3)
    predicted[:, joint("head")] += 500
    assert (metrics.pa_mpjpe(predicted, true) > 10).all()
    part = (metrics.of_joints(one, metrics.JOINTS_14) for one in (predicted, true))
    np.testing.assert_allclose(metrics.pa_mpjpe(*part), 0, atol=1e-6)


def one_by_one(predicted, true):
    """MPJPE, N-MPJPE and PA-MPJPE, and the latter two of epipolarpose-2019, pose by pose as textbooks write them."""
    rows = []
    for p, t in zip(predicted, true, strict=True):
        p0, t0 = p - p[ROOT], t - t[ROOT]
        rhodin = (p0 * t0).sum() / (p0 * p0).sum()
        pm, tm = p - p.mean(0), t - t.mean(0)
        U, d, Vt = np.linalg.svd(tm.T @ pm)
        d[2] *= np.linalg.det(U) * np.linalg.det(Vt)
        R = U @ np.diag([1, 1, np.linalg.det(U) * np.linalg.det(Vt)]) @ Vt
        s = d.sum() / (pm**2).sum()
        aligned = s * pm @ R.T + t.mean(0)
        differences = (p0 - t0, rhodin * p0 - t0, aligned - t, s * p0 - t0, aligned - aligned[ROOT] - t0)
        rows.append([np.linalg.norm(difference, axis=1).mean() for difference in differences])
    return np.transpose(rows)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), noise=st.floats(0.01, 3))
def test_both_protocols_agree_with_a_loop_over_poses(seed, noise):
    true = poses(seed)
    predicted = moved(true, seed, 0.8) + noise * poses(seed + 1)
    ours = (
        metrics.mpjpe(predicted, true), metrics.n_mpjpe(predicted, true), metrics.pa_mpjpe(predicted, true),
        metrics.n_mpjpe(predicted, true, "epipolarpose-2019"), metrics.pa_mpjpe(predicted, true, "epipolarpose-2019"),
    )  # fmt: skip
    np.testing.assert_allclose(ours, one_by_one(predicted, true), rtol=1e-7)


def test_the_other_protocol_is_never_lower_where_the_standard_is_a_minimum():
    true, predicted = poses(1, 500), poses(1, 500) + 0.4 * poses(2, 500)
    squares = [
        np.square(metrics.aligned_errors(predicted, true, "similarity", protocol)).sum(-1)
        for protocol in ("standard", "epipolarpose-2019")
    ]
    assert (squares[0] <= squares[1]).all()


@pytest.mark.parametrize("seed", range(3))
def test_similarity_agrees_with_scipys_procrustes(seed):
    true, predicted = poses(seed, 1)[0], moved(poses(seed, 1)[0], seed) + 0.2 * poses(seed + 9, 1)[0]
    # scipy's is of unit-sized poses and may reflect; these poses are near enough for it not to.
    unit_true, unit_aligned, _ = procrustes(true, predicted)
    size = np.linalg.norm(true - true.mean(0))
    expected = size * np.linalg.norm(unit_true - unit_aligned, axis=-1).mean()
    np.testing.assert_allclose(metrics.pa_mpjpe(predicted, true), expected)


@pytest.mark.parametrize("shape", [(2, 16, 3), (3, 17, 3), (17, 3)])
def test_other_skeletons_and_lengths_are_refused(shape):
    with pytest.raises(ValueError, match="mpjpe: .*predicted_mm .*" + re.escape(str(shape))):
        metrics.mpjpe(np.zeros(shape), np.zeros((2, 17, 3)))


def test_infinite_joints_are_refused():
    predicted = np.zeros((2, 17, 3))
    predicted[1, 3, 0] = np.inf
    with pytest.raises(ValueError, match="mpjpe: predicted_mm has 1 infinite values"):
        metrics.mpjpe(predicted, np.zeros((2, 17, 3)))
