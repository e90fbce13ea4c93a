"""The residuals of views count in units of their expected noise, up to a limit."""

import numpy as np
import pytest

from pipeline.geometry.triangulation.uncertainty.agreement import agreement
from tests.geometry.triangulation.uncertainty.scenes import LIMIT, SIGMA, scene


def test_residuals_of_expected_noise_come_to_their_degrees_of_freedom():
    here = scene(200)
    points = here.label(here.sigma).points
    found, depth = agreement(points, here.points_norm, here.sigma, here.limit, here.R, here.t)
    assert (found.dof == 5).all()
    assert found.chi2.mean() == pytest.approx(5, rel=0.05)
    assert 2500 < depth.min() < depth.max() < 7000


def test_an_outlier_counts_as_one_at_the_limit_and_unseen_ones_do_not():
    here = scene(5, noise=0.0)
    x, sigma = here.points_norm.copy(), here.sigma
    x[:, 4, 1] += 5 * LIMIT
    sigma[:, 6, 2] = np.inf
    joints = here.joints.copy()
    joints[0, 0] = np.nan
    found, _ = agreement(joints, x, sigma, here.limit, here.R, here.t)
    np.testing.assert_allclose(found.chi2[:, 4], (LIMIT / SIGMA) ** 2)
    assert (found.dof[:, 6] == 3).all()
    assert np.isnan(found.chi2[0, 0])
    assert np.isnan(found.dof[0, 0])


def test_infinite_image_points_are_refused():
    here = scene(2)
    here.points_norm[0, 0, 0] = np.inf
    with pytest.raises(ValueError, match="infinite"):
        agreement(here.joints, here.points_norm, here.sigma, here.limit, here.R, here.t)
