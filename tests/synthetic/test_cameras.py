"""Cameras look where they should."""

import numpy as np

from pipeline.synthetic.cameras import draw_rig, look_at


def test_the_aim_is_on_the_optical_axis():
    center, aim = np.array([3000.0, -2000, 1500]), np.array([100.0, 200, 900])
    R, t = look_at(center, aim, 0.1)
    np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(R @ aim + t, [0, 0, np.linalg.norm(aim - center)], atol=1e-9)
    np.testing.assert_allclose(-R.T @ t, center)


def test_fifth_camera_looks_from_elsewhere():
    centers = np.array([camera.center_world_mm for camera in draw_rig(np.random.default_rng(1), 96)])
    apart = np.linalg.norm(centers[:4] - centers[4], axis=-1)
    assert apart.min() > 1500
    assert centers[4, 2] > centers[:4, 2].max() + 300
