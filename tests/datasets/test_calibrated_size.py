"""The image size of intrinsics whose file does not state one."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.datasets.calibrated_size import infer_sizes
from pipeline.formats.calibration_format import UNKNOWN_SIZE
from tests.formats.cameras import rig


def silent(n=4):
    """Cameras without a size, for images of 1920 x 1080; principal points a few per cent off the middle."""
    rng = np.random.default_rng(1)
    cameras = {}
    for name, camera in rig(n).items():
        cx, cy = rng.normal((959.5, 539.5), (25, 20))
        K = np.array([[1500.0, 0, cx], [0, 1500, cy], [0, 0, 1]])
        cameras[name] = replace(camera, K=K, size_px=UNKNOWN_SIZE)
    return cameras


@pytest.mark.parametrize("video_px", [(1920, 1080), (960, 540), (1280, 720), (640, 360), (3840, 2160)])
def test_usual_sizes_of_videos(video_px):
    found = infer_sizes(silent(), dict.fromkeys(silent(), video_px))
    assert {camera.size_px for camera in found.cameras.values()} == {(1920, 1080)}
    assert found.is_scaled == (video_px != (1920, 1080))
    assert "the file states no image size" in found.inferred
    assert found.is_scaled == ("principal points" in found.inferred)


@pytest.mark.parametrize("video_px", [(1440, 810), (1830, 1030)], ids=["three quarters", "nearly the same"])
def test_sizes_that_principal_points_do_not_tell_are_those_of_the_videos(video_px):
    found = infer_sizes(silent(), dict.fromkeys(silent(), video_px))
    assert {camera.size_px for camera in found.cameras.values()} == {video_px}
    assert not found.is_scaled


def test_stated_sizes_stay():
    cameras = {name: replace(camera, size_px=(1920, 1080)) for name, camera in silent().items()}
    found = infer_sizes(cameras, dict.fromkeys(cameras, (960, 540)))
    assert {camera.size_px for camera in found.cameras.values()} == {(1920, 1080)}
    assert found.inferred == ""
