"""Principal points of usual cameras, of images of another size, and of single cameras that are off."""

import numpy as np
import pytest

from pipeline.geometry.verification.given_intrinsics import judge_principal_points

SIZE = np.array([[1280.0, 720]] * 3)


def cameras(*points):
    K = np.repeat(np.diag([900.0, 900, 1])[None], len(points), 0)
    K[:, :2, 2] = points
    return K


def test_usual_principal_points_raise_no_doubt():
    found = judge_principal_points(cameras((640, 360), (610, 390), (700, 330)), SIZE)
    assert not found.is_far.any()
    assert found.image_scale is None


@pytest.mark.parametrize("scale", [0.5, 1.5, 2.0, 3.0])
def test_cameras_of_images_of_another_size(scale):
    points = scale * np.array([(640, 360), (655, 350), (630, 368)])
    found = judge_principal_points(cameras(*points), SIZE)
    assert found.image_scale == pytest.approx(scale, rel=0.04)


def test_one_camera_that_is_off_is_not_another_size():
    found = judge_principal_points(cameras((640, 360), (1000, 360), (640, 360)), SIZE)
    assert found.is_far.tolist() == [False, True, False]
    assert not found.is_outside.any()
    assert found.image_scale is None
    crop = judge_principal_points(cameras((1100, 360), (1100, 360), (1100, 360)), SIZE)  # cut at the left only
    assert crop.is_far.all()
    assert crop.image_scale is None


def test_a_principal_point_outside_the_image():
    found = judge_principal_points(cameras((640, 360), (640, -10), (640, 360)), SIZE)
    assert found.is_outside.tolist() == [False, True, False]
    np.testing.assert_allclose(found.offset[1], 0.513, atol=1e-3)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="size_px"):
        judge_principal_points(cameras((1, 1)), SIZE)
