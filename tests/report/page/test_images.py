"""Images with skeletons drawn over them."""

import numpy as np
import pytest

from pipeline.report.page.images import crop_around, overlay, shrunk
from pipeline.skeleton import N_JOINTS
from tests.world.cameras import small_camera
from tests.world.people import turning


def test_overlay_draws_inside_and_ignores_joints_far_outside():
    image = np.full((120, 160, 3), 90, np.uint8)
    px = small_camera(0).project(turning(0)[0])
    plain, drawn = overlay(image, {"label": px + 1e6}), overlay(image, {"label": px})
    assert drawn.startswith("data:image/webp;base64,")
    assert len(drawn) > len(plain)
    assert overlay(image, {"label": np.full((N_JOINTS, 2), np.nan)}) is None


def test_a_crop_lies_in_the_image_and_holds_the_points():
    points = np.array([[150.0, 5.0], [155.0, 60.0]])
    crop = crop_around(points, (160, 120), longer_side_px=300)
    assert (crop.left, crop.top) >= (0, 0)
    assert (crop.right, crop.bottom) <= (160, 120)
    placed = crop.to_crop_px(points)
    assert (placed >= 0).all()
    assert (placed < crop.size_px).all()
    assert max(crop.size_px) == pytest.approx(300, abs=1)
    assert crop.cut(np.zeros((120, 160, 3), np.uint8)).shape[1::-1] == crop.size_px


def test_images_are_never_enlarged():
    assert shrunk(np.zeros((50, 100, 3), np.uint8), 240).shape == (50, 100, 3)
    assert shrunk(np.zeros((500, 1000, 3), np.uint8), 240).shape == (120, 240, 3)
