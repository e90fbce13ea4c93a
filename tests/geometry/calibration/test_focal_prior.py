"""The prior on focal lengths."""

import numpy as np
import pytest

from pipeline.geometry.calibration.focal_prior import EXACT, Focal


@pytest.mark.parametrize(("std", "own_std"), [(0.0, 0.1), (0.05, 0.03), (np.inf, 0.15)])
def test_the_prior_is_the_inverse_of_the_covariance_of_the_focal_lengths(std, own_std):
    covariance = min(std, 1e3) ** 2 + own_std**2 * np.eye(4)
    np.testing.assert_allclose(Focal(std, own_std).information(4), np.linalg.inv(covariance), rtol=1e-5, atol=1e-5)


def test_a_prior_without_a_deviation_of_each_camera_is_refused():
    with pytest.raises(ValueError, match=r"shared deviation of 0\.05 need one of each camera"):
        Focal(std=0.05)


def test_exact_focal_lengths_have_no_unknowns():
    assert EXACT.information(4).shape == (0, 0)
