"""The person in front of a static camera: background, noise, shadows, regions."""

import cv2
import numpy as np
import pytest

from pipeline.detectors.foreground import background_image, foreground_box, sample_frames, smoothed
from tests.detectors.people import SIZE, with_person


def test_the_foreground_is_the_person(room):
    box = foreground_box(with_person(room, 90), smoothed(room))
    np.testing.assert_allclose(box, [89.5, 49.5, 113.5, 119.5], atol=1.5)


def test_an_empty_noisy_room_has_no_person(room):
    image = room + np.random.default_rng(1).normal(0, 5, SIZE)
    assert foreground_box(image.clip(0, 255).astype(np.uint8), smoothed(room)) is None


def test_a_shadow_does_not_count(room):
    image = with_person(room, 90).astype(float)
    image[110:150, 120:180] *= 0.65
    box = foreground_box(image.astype(np.uint8), smoothed(room))
    np.testing.assert_allclose(box, [89.5, 49.5, 113.5, 119.5], atol=2.5)


def test_a_person_in_parts_is_one(room):
    """Clothing that looks like the wall behind leaves a gap."""
    image = with_person(room, 90)
    image[80:84] = room[80:84]
    np.testing.assert_allclose(foreground_box(image, smoothed(room)), [89.5, 49.5, 113.5, 119.5], atol=1.5)


def test_something_small_far_away_does_not_count(room):
    image = with_person(room, 90)
    image[10:18, 10:18] = 0
    np.testing.assert_allclose(foreground_box(image, smoothed(room)), [89.5, 49.5, 113.5, 119.5], atol=1.5)


def test_large_images_are_searched_at_reduced_size(room):
    large, ground = (cv2.resize(x, None, fx=6, fy=6) for x in (with_person(room, 90), room))
    np.testing.assert_allclose(foreground_box(large, smoothed(ground)), 6 * np.array([90, 50, 114, 120]) - 0.5, atol=12)


def test_the_background_is_without_the_person(room):
    """The person stands still in each clip, but not in the same place."""
    clips = [[with_person(room, left, seed=i) for i in range(20)] for left in (10, 60, 120)]
    background = background_image(clips)
    assert np.abs(background.astype(int) - room).mean() < 1.5


@pytest.mark.parametrize("n", [1, 40])
def test_a_person_who_never_moves_leaves_no_background(room, n):
    clips = [[with_person(room, 60, seed=i) for i in range(n)]]
    assert background_image(clips) is None


def test_frames_are_sampled_evenly_over_all_clips():
    clips = [list(range(100)), [], list(range(100, 150))]
    sampled = sample_frames(clips, 16)
    assert len(sampled) == 16
    assert (sampled[0], sampled[-1]) == (0, 149)
    assert np.ptp(np.diff(sampled)) <= 1
