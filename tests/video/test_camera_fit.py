"""The camera of a video whose size differs from the calibrated one."""

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.geometry.camera.model import Camera
from pipeline.video.camera_fit import fit_to_video
from tests.video.videos import CAMERA, PARAMS, params


def pixels(camera: Camera) -> np.ndarray:
    points = np.array([[-300.0, 150, 1000], [200, -100, 1200], [0, 0, 900]])
    return camera.with_extrinsics(np.eye(3), np.zeros(3)).project(points)


def test_a_uniformly_scaled_video_scales_the_camera():
    fitted = fit_to_video(CAMERA, (48, 32), PARAMS)
    np.testing.assert_allclose(pixels(fitted) + 0.5, (pixels(CAMERA) + 0.5) / 2)


def test_zoom_and_crop_say_how_a_slightly_other_shape_came_about():
    size_px = (94, 64)
    cropped = fit_to_video(CAMERA, size_px, params(size_mismatch="crop"))
    assert cropped.size_px == size_px
    np.testing.assert_array_equal(pixels(cropped), pixels(CAMERA))
    zoomed = fit_to_video(CAMERA, size_px, PARAMS)
    # The calibrated image is the video's enlarged to its width, and cut above and below.
    expected = (pixels(CAMERA) - [47.5, 31.5]) * 94 / 96 + [46.5, 31.5]
    assert zoomed.size_px == size_px
    np.testing.assert_allclose(pixels(zoomed), expected)


@pytest.mark.parametrize(
    ("size_px", "changes", "advice"),
    [
        ((64, 96), {}, "Rotate the video"),
        ((96, 80), {}, "video is 96x80, its calibration 96x64"),
        ((94, 64), {"size_mismatch": "reject"}, "size_mismatch"),
        ((94, 64), {"size_tolerance": 0.01}, "size_tolerance"),
    ],
)
def test_another_shape_is_refused(size_px, changes, advice):
    with pytest.raises(UserError, match=advice):
        fit_to_video(CAMERA, size_px, params(**changes))
