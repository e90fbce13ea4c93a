"""Rigs of single frames."""

import numpy as np

from pipeline.geometry.align import align
from pipeline.geometry.calibration.single_frame.rig_per_frame import find_rigs
from pipeline.geometry.triangulation.methods import robust
from tests.world.cameras import error_deg_mm, observed, ring
from tests.world.people import people


def test_frame_by_frame():
    R, t = ring(4)
    points_norm, sigma = observed(people(6), R, t)
    sigma[4, :, 1:] = np.inf  # one view alone
    rigs = find_rigs(points_norm, sigma, seed=1)
    assert isinstance(rigs[4], str)
    good = [rig for rig in rigs if not isinstance(rig, str)]
    assert len(good) == 5
    for rig in good:
        np.testing.assert_allclose(error_deg_mm(rig, R, t), 0, atol=1e-2)
    assert find_rigs(points_norm[:0], sigma[:0], seed=1) == []


def test_labels_are_nearly_as_good_as_with_the_true_rig():
    R, t = ring(4)
    joints = people(40, seed=3)
    points_norm, sigma = observed(joints, R, t, noise_px=5, outliers=0.05)
    found, known = [], []
    for f, rig in enumerate(find_rigs(points_norm, sigma, seed=1)):
        for errors, cameras in ((found, (rig.R, rig.t)), (known, (R, t))):
            points = align(robust(points_norm[f], sigma[f], *cameras), joints[f])
            errors.append(np.nanmean(np.linalg.norm(points - joints[f], axis=-1)))
    assert np.mean(found) < 1.4 * np.mean(known)
    assert np.mean(np.array(found) > 150) <= 0.03
