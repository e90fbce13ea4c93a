"""The status of joints and views, and views that agree."""

import numpy as np
import pytest

from pipeline.geometry.triangulation.labelling import Status, label
from tests.world.cameras import looking_at, observed, ring
from tests.world.people import people


def labelled(points_norm, sigma, R, t, **options):
    limit = np.full(sigma.shape, 0.05)
    return label(points_norm, sigma, limit, R[None], t[None], **{"method": "robust", "min_views": 2} | options)


def test_every_joint_has_its_reason():
    joints, (R, t) = people(1), ring(4)
    points_norm, sigma = observed(joints, R, t)
    sigma[0, 0, 1:] = np.inf  # one view left
    points_norm[0, 1] += [[0.2, 0.2], [-0.2, -0.3], [0.2, -0.2], [-0.1, 0.3]]  # no three agree
    points_norm[0, 2, 2] += 0.2  # one outlier
    points_norm[0, 3, 0] = np.nan
    made = labelled(points_norm, sigma, R, t, min_views=3)
    assert made.status[0, :4].tolist() == [Status.TOO_FEW_VIEWS, Status.TOO_FEW_AGREE, Status.VALID, Status.VALID]
    assert (made.status[0, 4:] == Status.VALID).all()
    assert made.used[0, 2].tolist() == [True, True, False, True]
    assert made.used[0, 3].tolist() == [False, True, True, True]
    valid = made.status[0] == Status.VALID
    np.testing.assert_allclose(made.points[0, valid], joints[0, valid], atol=1)
    assert np.isnan(made.points[0, ~valid]).all()
    assert not made.used[0, ~valid].any()
    assert (np.isfinite(made.uncertainty[0]) == valid).all()


def test_views_without_extrinsics_do_not_count():
    joints, (R, t) = people(2), ring(3)
    points_norm, sigma = observed(joints, R, t)
    t = t.copy()
    t[2] = np.nan
    np.testing.assert_allclose(labelled(points_norm, sigma, R, t).points, joints, atol=1e-5)
    t[1] = np.nan
    assert (labelled(points_norm, sigma, R, t).status == Status.NO_RIG).all()


def test_parallel_views_and_points_behind_a_camera_are_refused():
    R, t = looking_at(np.array([[4500, 0, 1500], [4500, 1.0, 1500]]), np.array([0, 0, 900.0]))
    points_norm, sigma = observed(people(1), R, t)
    assert (labelled(points_norm, sigma, R, t, method="weighted").status == Status.UNDETERMINED).all()
    R, t = ring(2)
    behind = people(1) + R[0][2] * -1e4
    in_camera = np.einsum("vij,fnj->fnvi", R, behind) + t
    points_norm = in_camera[..., :2] / in_camera[..., 2:]
    assert (labelled(points_norm, sigma, R, t, method="weighted").status == Status.BEHIND_CAMERA).all()


def test_another_number_of_views_is_refused():
    points_norm, sigma = np.zeros((1, 5, 4, 2)), np.ones((1, 5, 4))
    with pytest.raises(ValueError, match=r"label: R is of shape \(1, 3, 3, 3\)"):
        label(points_norm, sigma, sigma, np.zeros((1, 3, 3, 3)), np.zeros((1, 3, 3)), method="robust", min_views=2)
