"""The covariance of errors shared by landmarks and by time, against that of many trials of a linear fit."""

import numpy as np
import pytest

from pipeline.geometry.calibration.shared_errors import clustered_covariance

LANDMARKS, BLOCKS, REPEATS, UNKNOWNS, TRIALS = 25, 4, 10, 3, 300


def ratio_of_variances(by_landmark=0.0, by_block=0.0):
    """Squared errors of least-squares fits over the stated variance, where data share errors along each unknown."""
    rng = np.random.default_rng(0)
    J = rng.normal(size=(LANDMARKS, BLOCKS, REPEATS, UNKNOWNS))
    J = J @ np.linalg.inv(np.linalg.cholesky(np.einsum("lbri,lbrj->ij", J, J))).T  # normal equations: the identity
    information = np.einsum("lbri,lbrj->lbij", J, J)
    errors, stated = [], []
    for _ in range(TRIALS):
        noise = rng.normal(size=J.shape[:3])
        noise += by_landmark * np.einsum("lbri,li->lbr", J, rng.normal(size=(LANDMARKS, UNKNOWNS)))
        noise += by_block * np.einsum("lbri,bi->lbr", J, rng.normal(size=(BLOCKS, UNKNOWNS)))
        fitted = np.einsum("lbri,lbr->i", J, noise)
        score = np.einsum("lbri,lbr->lbi", J, noise - J @ fitted)
        errors.append(fitted)
        stated.append(clustered_covariance(information, score, variance=1.0, newton=1.0))
    return float(np.mean(np.square(errors)) / np.mean([np.trace(one) / UNKNOWNS for one in stated]))


def test_independent_errors_have_their_own_variance():
    assert ratio_of_variances() == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("shared", [{"by_landmark": 20.0}, {"by_block": 10.0}, {"by_landmark": 15.0, "by_block": 5.0}])
def test_shared_errors_are_covered(shared):
    assert 0.6 < ratio_of_variances(**shared) < 1.4  # with independent errors: 19, 25 and 18


def test_the_direction_of_shared_errors_has_the_largest_variance():
    rng = np.random.default_rng(1)
    information = np.tile(np.eye(11) / 100, (25, 4, 1, 1))
    score = 0.1 * rng.normal(size=(25, 4, 11))
    score[:, :, 1] += 2.0 * rng.normal(size=(25, 1))
    covariance = clustered_covariance(information, score, variance=1.0, newton=1.0)
    assert np.abs(np.linalg.eigh(covariance)[1][:, -1]) == pytest.approx(np.eye(11)[1], abs=0.1)


def test_a_landmark_that_alone_determines_a_direction_does_not_look_certain():
    information = np.zeros((5, 4, 2, 2))
    information[0, :, 0, 0], information[:, :, 1, 1] = 1 / 4, 1 / 20
    score = np.zeros((5, 4, 2))
    score[0, :, 0], score[:, :, 1] = 0.2, 0.2 * np.array([1, -1, 2, -2, 0])[:, None]
    covariance = clustered_covariance(information, score, variance=1.0, newton=1.0)
    assert covariance[0, 0] > 100


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="score"):
        clustered_covariance(np.zeros((5, 4, 3, 3)), np.zeros((5, 4, 2)), variance=1.0, newton=1.0)
