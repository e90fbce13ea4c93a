"""A camera of another focal length: what its lens does to the image stays."""

import numpy as np
import pytest

from pipeline.capture import Recording, View
from pipeline.geometry.camera.model import Camera, project, undistort
from tests.geometry.scene import SIZE_PX, K


@pytest.mark.parametrize(
    "dist",
    [
        [],
        [-0.2, 0.1, 0.001, -0.002],
        [-0.2, 0.1, 0.001, -0.002, 0.03],
        [-0.2, 0.1, 0.001, -0.002, 0.03, 0.1, -0.05, 0.01],
        [-0.2, 0.1, 0.001, -0.002, 0.03, 0.1, -0.05, 0.01, 1e-3, 2e-3, -1e-3, 1e-3],
    ],
)
def test_rays_shrink_and_nothing_else(dist):
    camera = Camera(K, np.array(dist), SIZE_PX)
    other = camera.scale_focal(1.2)
    points_norm = np.random.default_rng(0).uniform(-0.4, 0.4, (50, 2))
    px = project(np.concatenate([points_norm, np.ones((50, 1))], -1), camera.K, camera.dist)
    np.testing.assert_allclose(undistort(px, other.K, other.dist), points_norm / 1.2, atol=1e-7)
    np.testing.assert_array_equal(other.K[:2, 2], K[:2, 2])
    again = other.scale_focal(1 / 1.2)
    np.testing.assert_allclose(again.dist, camera.dist)
    np.testing.assert_allclose(again.K, K)


def test_all_cameras_of_a_recording():
    view = View.of("c0", "none", Camera(K, np.array([-0.2, 0.1, 0, 0, 0]), SIZE_PX, np.eye(3), np.zeros(3)))
    recording = Recording(
        name="r", subject="s", action="a", split="train", rig="A", fps=25, n_frames=1, views=[view, view]
    )
    other = recording.scale_focal(0.9)
    assert [v.K[0][0] for v in other.views] == [900, 900]
    assert other.views[0].R_cam_from_world == view.R_cam_from_world
    assert recording.scale_focal(1.0) is recording
    assert recording.views[0].K[0][0] == 1000
