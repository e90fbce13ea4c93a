"""The noise of each landmark in each view, from distances that scatter like it."""

import numpy as np
import pytest

from pipeline.geometry.calibration.landmark_noise import LIMITS, landmark_noise


def distances(noise, n_frames=300, seed=0):
    """Distances (F, L, V) of detections with the noise (L, V)."""
    rng = np.random.default_rng(seed)
    return np.linalg.norm(rng.normal(size=(n_frames, *noise.shape, 2)), axis=-1) * noise


@pytest.mark.parametrize("n_frames", [60, 1000])
def test_equal_landmarks_have_exactly_the_weight_one(n_frames):
    for seed in range(5):
        np.testing.assert_array_equal(landmark_noise(distances(np.ones((17, 4)), n_frames, seed)), 1)


def test_a_landmark_that_is_poor_in_one_view_is_so_in_this_view_alone():
    noise = np.ones((17, 4))
    noise[3, 2] = 3.0
    noise[5] = 0.5
    found = landmark_noise(distances(noise))
    np.testing.assert_allclose(found / np.median(found), noise, rtol=0.25)
    assert found[3, 2] > 2
    assert found[5].max() < 0.8


def test_a_few_frames_of_equal_landmarks_have_nearly_equal_weights():
    found = landmark_noise(distances(np.ones((17, 4)), 10))
    assert 0.7 < found.min() <= found.max() < 1.4
    assert (found == 1).mean() > 0.9


def test_few_detections_and_outliers_count_little():
    noise = np.ones((17, 4))
    noise[8:] = 2.0
    distance = distances(noise)
    distance[:, 0, 0] = np.nan
    distance[:3, 0, 0] = 50.0
    distance[:60, 1, 1] = 500.0
    found = landmark_noise(distance)
    assert found[0, 0] == 1
    assert found[1, 1] < 1.5
    assert LIMITS[0] <= found.min() <= found.max() <= LIMITS[1]


def test_nothing_seen_and_exact_detections():
    np.testing.assert_array_equal(landmark_noise(np.full((4, 3, 2), np.nan)), np.ones((3, 2)))
    np.testing.assert_array_equal(landmark_noise(np.zeros((40, 3, 2))), np.ones((3, 2)))
    np.testing.assert_array_equal(landmark_noise(np.zeros((0, 3, 2))), np.ones((3, 2)))
    with pytest.raises(ValueError, match="distance"):
        landmark_noise(np.zeros((40, 3)))
