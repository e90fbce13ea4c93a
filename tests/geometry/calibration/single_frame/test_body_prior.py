"""The prior on the human build in the adjustment of a single frame."""

import numpy as np

from pipeline.geometry.align import align
from pipeline.geometry.calibration import bundle
from pipeline.geometry.calibration.single_frame.body_prior import adjust_to_body
from pipeline.geometry.triangulation.methods import robust
from pipeline.skeleton import joint
from tests.world.cameras import observed, ring
from tests.world.people import people


def test_the_prior_on_the_human_build_lowers_the_error():
    R, t = ring(4)
    better = []
    for seed in range(10):
        joints = people(1, seed=seed)[0]
        points_norm, sigma = (x[0] for x in observed(joints[None], R, t, noise_px=5, seed=seed))
        points = robust(points_norm, sigma, R, t)
        alone = bundle.adjust(points_norm, sigma, R, t, points, (4.0,), noise=0.5).points
        built = adjust_to_body(points_norm, sigma, R, t, points, width=4.0, noise=0.5)[2]
        errors = [np.linalg.norm(align(x, joints) - joints, axis=-1).mean() for x in (alone, built)]
        better.append(errors[1] / errors[0])
    assert np.mean(better) < 0.95


def test_missing_joints_take_no_part():
    R, t = ring(3)
    joints = people(1)[0]
    points_norm, sigma = (x[0] for x in observed(joints[None], R, t, noise_px=1))
    points = robust(points_norm, sigma, R, t)
    points[joint("l_knee")] = np.nan
    built = adjust_to_body(points_norm, sigma, R, t, points, width=4.0, noise=0.1)[2]
    assert np.isnan(built[joint("l_knee")]).all()
    assert np.isfinite(built).all(-1).sum() == 16
    np.testing.assert_allclose(align(built, joints)[joint("r_knee")], joints[joint("r_knee")], atol=30)
