"""The prior on a person's lengths in the adjustment of a single frame."""

import numpy as np
import pytest

from pipeline.geometry.align import align
from pipeline.geometry.calibration import bundle
from pipeline.geometry.calibration.single_frame.body_prior import MIN_FRAMES, adjust_to_body, adult_prior, own_prior
from pipeline.geometry.triangulation.methods import robust
from pipeline.skeleton import BONES, N_JOINTS, joint
from tests.world.cameras import observed, ring
from tests.world.people import people

ADULT = adult_prior(np.arange(N_JOINTS))


def error_mm(found, joints):
    return np.linalg.norm(align(found, joints) - joints, axis=-1).mean()


def test_the_prior_on_the_human_build_lowers_the_error():
    R, t = ring(4)
    better = []
    for seed in range(10):
        joints = people(1, seed=seed)[0]
        points_norm, sigma = (x[0] for x in observed(joints[None], R, t, noise_px=5, seed=seed))
        points = robust(points_norm, sigma, R, t)
        alone = bundle.adjust(points_norm, sigma, R, t, points, (4.0,), noise=0.5).points
        built = adjust_to_body(points_norm, sigma, R, t, points, ADULT, width=4.0, noise=0.5)[2]
        better.append(error_mm(built, joints) / error_mm(alone, joints))
    assert np.mean(better) < 0.95


def test_own_lengths_lower_the_error_of_an_unusual_person():
    R, t = ring(4)
    joints = people(30, seed=5)
    forearms = [joint("l_wrist"), joint("r_wrist")], [joint("l_elbow"), joint("r_elbow")]
    joints[:, forearms[0]] = joints[:, forearms[1]] + 1.4 * (joints[:, forearms[0]] - joints[:, forearms[1]])
    points_norm, sigma = observed(joints, R, t, noise_px=5, seed=5)
    points = robust(points_norm, sigma, R, t)
    own = own_prior(ADULT, list(points))
    better = []
    for f in range(len(joints)):
        adult, other = (
            adjust_to_body(points_norm[f], sigma[f], R, t, points[f], prior, width=4.0, noise=0.5)[2]
            for prior in (ADULT, own)
        )
        better.append(error_mm(other, joints[f]) / error_mm(adult, joints[f]))
    assert np.mean(better) < 0.93


def test_own_lengths_are_those_of_the_person_in_one_scale():
    joints = people(40, seed=1)
    rng = np.random.default_rng(0)
    noisy = (joints + rng.normal(size=joints.shape) * 5) * rng.uniform(0.97, 1.03, (40, 1, 1))
    own = own_prior(ADULT, list(noisy))
    ends = own.segments[own.rows[:, 0]]
    true = np.log(np.linalg.norm(joints[0, ends[:, 1]] - joints[0, ends[:, 0]], axis=-1))
    np.testing.assert_allclose(own.expected - own.expected.mean(), true - true.mean(), atol=0.02)
    assert (own.rows[:, 1] == -1).all()
    assert len(own.expected) == 12


def test_too_few_frames_have_no_own_lengths():
    joints = list(people(MIN_FRAMES))
    assert own_prior(ADULT, joints[:-1]) is ADULT
    assert own_prior(ADULT, joints) is not ADULT
    unseen = [np.full_like(one, np.nan) for one in joints]
    assert own_prior(ADULT, unseen) is ADULT


def test_a_segment_that_is_seldom_seen_has_no_own_length():
    joints = people(2 * MIN_FRAMES)
    joints[MIN_FRAMES - 1 :, joint("l_knee")] = np.nan
    own = own_prior(ADULT, list(joints))
    assert joint("l_knee") not in own.segments[own.rows[:, 0]]
    assert joint("r_knee") in own.segments[own.rows[:, 0]]


def test_the_result_is_in_millimetres_of_the_prior():
    R, t = ring(3)
    joints = people(1)[0]
    points_norm, sigma = (x[0] for x in observed(joints[None], R, t, noise_px=1))
    for unit in (1.0, 0.001):
        start = robust(points_norm, sigma, R, unit * t)
        _, t_found, found, _ = adjust_to_body(points_norm, sigma, R, unit * t, start, ADULT, width=4.0, noise=0.1)
        lengths = np.linalg.norm(np.diff(found[BONES], axis=1), axis=-1).sum()
        assert lengths == pytest.approx(np.linalg.norm(np.diff(joints[BONES], axis=1), axis=-1).sum(), rel=0.05)
        assert np.linalg.norm(t_found) == pytest.approx(np.linalg.norm(t), rel=0.05)


def test_missing_joints_take_no_part():
    R, t = ring(3)
    joints = people(1)[0]
    points_norm, sigma = (x[0] for x in observed(joints[None], R, t, noise_px=1))
    points = robust(points_norm, sigma, R, t)
    points[joint("l_knee")] = np.nan
    built = adjust_to_body(points_norm, sigma, R, t, points, ADULT, width=4.0, noise=0.1)[2]
    assert np.isnan(built[joint("l_knee")]).all()
    assert np.isfinite(built).all(-1).sum() == 16
    np.testing.assert_allclose(align(built, joints)[joint("r_knee")], joints[joint("r_knee")], atol=30)


def test_without_limbs_nothing_is_expected():
    prior = adult_prior(np.full(N_JOINTS, -1))
    assert len(prior.rows) == 0
    assert prior.scale_of(people(1)[0]) == 1.0
