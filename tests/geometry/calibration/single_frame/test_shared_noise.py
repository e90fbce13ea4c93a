"""The noise that frames share."""

import numpy as np
import pytest

from pipeline.geometry.calibration.single_frame.shared_noise import LIMITS, noise_of_crowding, noise_of_landmarks


def test_the_noise_of_each_landmark_in_each_view_is_found():
    rng = np.random.default_rng(0)
    true = np.exp(rng.normal(0, 0.4, (20, 4)))
    distance = np.linalg.norm(rng.normal(size=(400, 20, 4, 2)), axis=-1) * true
    found = noise_of_landmarks(distance)
    np.testing.assert_allclose(found / np.median(found), true / np.median(true), rtol=0.2)


def test_few_detections_say_little_and_none_say_nothing():
    distance = np.ones((50, 3, 2))
    distance[:, 0, 0] = 3.0
    distance[2:, 0, 0] = np.nan
    distance[:, 1, 1] = np.nan
    found = noise_of_landmarks(distance)
    assert 1 < found[0, 0] < 1.6
    assert found[1, 1] == 1.0
    assert (noise_of_landmarks(np.full((2, 3, 2), np.nan)) == 1).all()
    assert (noise_of_landmarks(np.zeros((2, 3, 2))) == 1).all()


def test_the_noise_is_limited():
    distance = np.ones((500, 4, 2))
    distance[:, 0] *= 100
    distance[:, 1] /= 100
    found = noise_of_landmarks(distance)
    np.testing.assert_allclose(found[:2, 0], LIMITS[::-1], rtol=0.05)


def test_landmarks_in_one_place_count_as_one():
    far = np.eye(3) * 1000
    points = np.concatenate([far, np.repeat([[0.0, 0, 0]], 4, 0)])[None]
    np.testing.assert_allclose(noise_of_crowding(points), [1, 1, 1, 2, 2, 2, 2], atol=1e-6)


def test_a_landmark_that_is_never_found_is_not_crowded():
    points = np.zeros((5, 3, 3))
    points[:, 0] = np.nan
    np.testing.assert_allclose(noise_of_crowding(points), [1, np.sqrt(2), np.sqrt(2)])


def test_infinite_points_are_refused():
    with pytest.raises(ValueError, match="points_mm"):
        noise_of_crowding(np.full((1, 2, 3), np.inf))
