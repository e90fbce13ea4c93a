import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.images.crops import Crop, box_of_joints, crop_of_box

crops = st.builds(
    lambda x, y, side, angle, mirrored: Crop(np.array([x, y]), side, angle, mirrored),
    st.floats(-100, 500), st.floats(-100, 500), st.floats(5, 800), st.floats(-3.2, 3.2), st.booleans(),
)  # fmt: skip


@given(crops, st.integers(0, 1000))
def test_there_and_back(crop, seed):
    points = np.random.default_rng(seed).uniform(-500, 1000, (17, 2))
    np.testing.assert_allclose(crop.to_image(crop.to_unit(points)), points, atol=1e-8)


@given(crops)
def test_the_side_of_the_crop_is_one(crop):
    ends = crop.to_image(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    np.testing.assert_allclose(np.linalg.norm(ends[1:] - ends[0], axis=1), crop.side_px)
    np.testing.assert_allclose(crop.to_image(np.full(2, 0.5)), crop.center_px)


def test_an_upright_crop():
    crop = crop_of_box(np.array([10, 20, 30, 60]), margin=1.5)
    assert crop.side_px == 60
    np.testing.assert_allclose(crop.to_unit(np.array([[20.0, 40.0], [-10.0, 10.0]])), [[0.5, 0.5], [0, 0]])


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("angle", [0.0, 0.4, -1.2])
@pytest.mark.parametrize("side_px", [40.0, 100.0, 330.0])
def test_a_spot_is_cut_where_the_crop_says_it_is(mirrored, angle, side_px):
    """Checked against the pixels, for crops finer, equal and coarser than the image."""
    crop, size = Crop(np.array([203.3, 188.7]), side_px, angle, mirrored), 64
    spot = np.array([0.3, 0.62])
    y, x = np.mgrid[:400, :380]
    at = crop.to_image(spot)
    glow = 250 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * (0.05 * side_px) ** 2))
    image = np.repeat(glow[..., None], 3, 2).astype(np.uint8)
    cut = crop.cut(image, size).astype(float)[..., 0]
    v, u = np.mgrid[:size, :size]
    found = np.array([(cut * (u + 0.5)).sum(), (cut * (v + 0.5)).sum()]) / cut.sum() / size
    np.testing.assert_allclose(found, spot, atol=0.2 / size)


def test_the_same_size_upright_is_the_image_itself():
    image = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    crop = Crop(np.array([23.5, 23.5]), 48.0)
    np.testing.assert_array_equal(crop.cut(image, 48), image)
    mirrored = Crop(np.array([23.5, 23.5]), 48.0, mirrored=True)
    np.testing.assert_array_equal(mirrored.cut(image, 48), image[:, ::-1])


def test_shrinking_does_not_alias():
    """Stripes finer than the crop's pixels become grey."""
    image = np.zeros((240, 240, 3), np.uint8)
    image[:, ::2] = 200
    cut = Crop(np.array([119.5, 119.5]), 240.0).cut(image, 32)
    np.testing.assert_allclose(cut, 100, atol=20)


def test_outside_the_image_its_border_goes_on():
    image = np.full((20, 20, 3), 77, np.uint8)
    assert (Crop(np.array([0.0, 0.0]), 60.0).cut(image, 32) == 77).all()


def test_box_of_joints_leaves_missing_ones_out():
    joints = np.array([[1, 5], [np.nan, np.nan], [3, 2]])
    np.testing.assert_array_equal(box_of_joints(joints), [1, 2, 3, 5])


def test_cutting_agrees_with_area_resizing():
    image = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (120, 120, 3), np.uint8), (7, 7), 2)
    cut = Crop(np.array([59.5, 59.5]), 120.0).cut(image, 40)
    np.testing.assert_allclose(cut.astype(int), cv2.resize(image, (40, 40), interpolation=cv2.INTER_AREA), atol=2)
