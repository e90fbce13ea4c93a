"""A camera that moved in a rig that was taken to be static."""

import pytest
from scipy.spatial.transform import Rotation

from pipeline.geometry.calibration.rig import find_rig
from pipeline.geometry.calibration.rig_motion import rotation_change_deg
from tests.world.cameras import observed, ring
from tests.world.people import people


def test_a_camera_that_rotated_is_noticed():
    R, t = ring(4)
    joints = people(120)
    for deg, noise_px in ((0.0, 5.0), (0.8, 1.0)):
        points_norm, sigma = observed(joints, R, t, noise_px=noise_px, outliers=0.05)
        later = Rotation.from_euler("y", deg, degrees=True).as_matrix()
        points_norm[60:, :, 1] = observed(joints[60:], later @ R, t @ later.T, noise_px=noise_px)[0][:, :, 1]
        rig = find_rig(points_norm, sigma, seed=1)
        assert rotation_change_deg(points_norm, sigma, rig) == pytest.approx(0.75 * deg, abs=0.25 * deg)
