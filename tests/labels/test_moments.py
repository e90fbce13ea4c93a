"""Detections at the moments of a recording whose views were filmed at other times."""

import numpy as np
import pytest

from pipeline.capture import Recording, View
from pipeline.geometry.camera.model import Camera
from pipeline.labels.moments import at_moments
from pipeline.video.frame_times import write_times

N, FPS = 12, 30.0
CAMERA = Camera(np.diag([100.0, 100, 1]), np.zeros(4), (96, 64))


@pytest.fixture
def recording(tmp_path) -> Recording:
    """The second view is late by 10 ms and lacks the frames 4, 8, 9 and 10."""
    times_s = np.arange(N) / FPS + 0.01
    times_s[[4, 8, 9, 10]] = np.nan
    write_times(tmp_path / "b.npy", times_s)
    views = [View.of("a", "a", CAMERA), View.of("b", "b", CAMERA, times=str(tmp_path / "b.npy"))]
    return Recording(
        name="S1", subject="S1", action="", split="train", rig="r", fps=FPS, clock_fps=FPS, n_frames=N,
        frame_numbers=list(range(N)), views=views,
    )  # fmt: skip


def detections(n_landmarks: int = 3) -> dict[str, np.ndarray]:
    """Joints that move by 60 px a second, seen at the times of the views, in float32."""
    own_s = np.stack([np.arange(N) / FPS, np.arange(N) / FPS + 0.01], axis=1)
    px = 60 * own_s[..., None, None] + np.arange(4)[:, None]
    arrays = {
        "joints_px": px.repeat(2, -1), "confidence": np.tile(np.linspace(0.5, 0.9, N)[:, None, None], (1, 2, 4)),
        "landmarks_px": px[:, :, :n_landmarks].repeat(2, -1), "landmark_confidence": np.full((N, 2, n_landmarks), 0.7),
        "box_px": np.tile(60 * own_s[..., None], 4),
    }  # fmt: skip
    return {name: values.astype(np.float32) for name, values in arrays.items()}


def test_joints_are_those_of_the_moments(recording):
    found = at_moments(recording, detections())
    expected = 60 * np.arange(N) / FPS
    np.testing.assert_allclose(found["joints_px"][1:8, 1, 0, 0], expected[1:8], atol=1e-4)
    np.testing.assert_allclose(found["landmarks_px"][1:8, 1, 2, 1], expected[1:8] + 2, atol=1e-4)
    assert found["joints_px"].dtype == np.float32


def test_the_lower_confidence_counts(recording):
    found, given = at_moments(recording, detections()), detections()
    np.testing.assert_array_equal(found["confidence"][1:4, 1], given["confidence"][0:3, 1])
    np.testing.assert_array_equal(found["confidence"][[4, 5], 1], given["confidence"][[3, 3], 1])


def test_what_lies_in_a_long_gap_is_missing(recording):
    found = at_moments(recording, detections())
    for name in ("joints_px", "landmarks_px"):
        assert np.isnan(found[name][[0, 8, 9, 10], 1]).all()
    assert (found["confidence"][[0, 8, 9, 10], 1] == 0).all()


def test_a_box_belongs_to_an_image(recording):
    found, given = at_moments(recording, detections()), detections()
    has_image = np.isin(np.arange(N), [4, 8, 9, 10], invert=True)
    np.testing.assert_array_equal(found["box_px"][has_image, 1], given["box_px"][has_image, 1])
    assert np.isnan(found["box_px"][~has_image, 1]).all()


def test_views_without_times_are_left_as_they_are(recording):
    found, given = at_moments(recording, detections(0)), detections(0)
    for name, values in given.items():
        np.testing.assert_array_equal(found[name][:, 0], values[:, 0])
