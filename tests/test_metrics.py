"""The metrics against cases worked out by hand and against other ways to compute them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.spatial.transform import Rotation

from pipeline import metrics
from pipeline.skeleton import JOINTS, MIRROR, N_JOINTS, ROOT, joint


def poses(seed, n=5):
    return np.random.default_rng(seed).normal(size=(n, N_JOINTS, 3)) * 300


def moved(pose, seed=0, scale=1.0):
    R = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    return scale * pose @ R.T + np.array([10, -20, 3000])


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


@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.01, 100))
def test_what_each_metric_forgives(seed, scale):
    true = poses(seed)
    np.testing.assert_allclose(metrics.n_mpjpe(scale * true + np.array([1, 2, 3]), true), 0, atol=1e-6)
    np.testing.assert_allclose(metrics.pa_mpjpe(moved(true, seed, scale), true), 0, atol=1e-6)


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


def test_a_mirrored_pose_is_not_forgiven():
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


def test_other_skeletons_are_refused():
    with pytest.raises(ValueError, match=r"\(16, 3\).*\(17, 3\)"):
        metrics.mpjpe(np.zeros((2, 16, 3)), np.zeros((2, 17, 3)))


def test_mean_of_nothing_is_missing():
    assert np.isnan(metrics.mean(np.array([np.nan, np.nan])))
    assert metrics.mean(np.array([[1, np.nan], [3, 5]]), axis=None) == 3
