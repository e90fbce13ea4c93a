"""Projection and undistortion against OpenCV, there and back, and where there is no way back."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.capture import View
from pipeline.geometry.camera.model import Camera, project, undistort

K = np.array([[1145.0, 0, 512], [0, 1143, 508], [0, 0, 1]])
SIZE_PX = (1000, 1000)
FISHEYE = np.array([0.05, -0.01, 0.003, -0.001])
LENSES = {
    "pinhole": [],
    "4": [-0.2, 0.25, -0.001, 0.002],
    "5": [-0.2, 0.25, -0.001, 0.002, -0.0024],
    "8": [0.3, -0.1, 0.001, -0.002, 0.05, 0.2, -0.05, 0.02],
    "12": [-0.2, 0.1, 0.001, 0.002, 0.01, 0.1, 0.02, 0.01, 0.001, -0.002, 0.0015, 0.0005],
    "14": [-0.2, 0.1, 0.001, 0.002, 0.01, 0.1, 0.02, 0.01, 0.001, -0.002, 0.0015, 0.0005, 0.02, -0.03],
}


def points(n=400, seed=0):
    return np.random.default_rng(seed).uniform([-1500, -1500, 3000], [1500, 1500, 5000], (n, 3))


@pytest.mark.parametrize("name", LENSES)
def test_every_lens_model_agrees_with_opencv_both_ways(name):
    dist, X = np.array(LENSES[name]), points()
    px = project(X, K, dist)
    theirs, _ = cv2.projectPoints(X, np.zeros(3), np.zeros(3), K, dist if len(dist) else None)
    np.testing.assert_allclose(px, theirs[:, 0], atol=1e-9)
    points_norm = undistort(px, K, dist)
    np.testing.assert_allclose(K[0, 0] * points_norm, K[0, 0] * X[:, :2] / X[:, 2:], atol=1e-6)
    exact = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 200, 1e-14)
    theirs = cv2.undistortPoints(px[:, None], K, dist if len(dist) else None, criteria=exact)[:, 0]
    np.testing.assert_allclose(K[0, 0] * points_norm, K[0, 0] * theirs, atol=1e-6)


def test_fisheye_agrees_with_opencv_both_ways():
    X = points() * [3, 3, 1]
    px = project(X, K, FISHEYE, fisheye=True)
    theirs, _ = cv2.fisheye.projectPoints(X[:, None], np.zeros(3), np.zeros(3), K, FISHEYE)
    np.testing.assert_allclose(px, theirs[:, 0], atol=1e-8)
    np.testing.assert_allclose(undistort(px, K, FISHEYE, fisheye=True), X[:, :2] / X[:, 2:], atol=1e-9)
    beside = project(np.array([[1000.0, 0, -10]]), K, FISHEYE, fisheye=True)
    assert np.isnan(undistort(beside, K, FISHEYE, fisheye=True)).all()
    np.testing.assert_allclose(project(np.array([[0, 0, 2.0]]), K, FISHEYE, fisheye=True), [[512, 508]])


@settings(deadline=None)
@given(seed=st.integers(0, 10_000))
def test_weak_lenses_both_ways(seed):
    rng = np.random.default_rng(seed)
    dist = rng.uniform(-1, 1, 5) * [0.3, 0.1, 0.005, 0.005, 0.02]
    X = points(50, seed)
    np.testing.assert_allclose(undistort(project(X, K, dist), K, dist), X[:, :2] / X[:, 2:], atol=1e-9)


def test_pixels_outside_the_lens_model_are_nan_and_affect_no_other_point():
    # The image of this lens ends at about 0.54 from its axis: nothing is seen beyond.
    dist = np.array([-0.5, 0, 0, 0])
    px = np.array([[512.0, 508], [512 + 0.7 * 1145, 508], [np.nan, 3], [600, 400]])
    points_norm = undistort(px, K, dist)
    assert np.isnan(points_norm).any(-1).tolist() == [False, True, True, False]
    np.testing.assert_allclose(points_norm[3], undistort(px[3], K, dist))


def test_shapes_and_empty_arrays():
    assert undistort(np.zeros((2, 3, 4, 2), np.float32), K, np.zeros(0)).shape == (2, 3, 4, 2)
    assert undistort(np.zeros((0, 17, 2)), K, np.zeros(0)).shape == (0, 17, 2)
    assert project(np.zeros((0, 3)), K, np.zeros(0)).shape == (0, 2)


def test_a_fisheye_goes_through_the_manifest_and_every_method():
    camera = Camera(K, FISHEYE, SIZE_PX, np.eye(3), np.zeros(3), fisheye=True)
    again = View.model_validate_json(View.of("a", "a.mp4", camera).model_dump_json()).camera
    X = points(20)
    np.testing.assert_array_equal(again.project(X), project(X, K, FISHEYE, fisheye=True))
    np.testing.assert_allclose(again.back_project(again.project(X), X[:, 2]), X, rtol=1e-9)
    small = camera.resized((500, 500))
    np.testing.assert_allclose(small.project(X), (camera.project(X) + 0.5) / 2 - 0.5)


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
def test_another_focal_length_divides_normalised_points_and_nothing_else(dist):
    camera = Camera(K, np.array(dist), SIZE_PX)
    other = camera.scale_focal(1.2)
    points_norm = np.random.default_rng(0).uniform(-0.4, 0.4, (50, 2))
    px = project(np.concatenate([points_norm, np.ones((50, 1))], -1), camera.K, camera.dist)
    np.testing.assert_allclose(undistort(px, other.K, other.dist), points_norm / 1.2, atol=1e-7)
    np.testing.assert_array_equal(other.K[:2, 2], K[:2, 2])
    again = other.scale_focal(1 / 1.2)
    np.testing.assert_allclose(again.dist, camera.dist)
    np.testing.assert_allclose(again.K, K)


def test_a_fisheye_has_the_focal_length_that_was_given():
    camera = Camera(K, FISHEYE, SIZE_PX, fisheye=True)
    with pytest.raises(ValueError, match=r"fisheye camera cannot be multiplied by 1\.2"):
        camera.scale_focal(1.2)
    assert camera.scale_focal(1.0) is camera
