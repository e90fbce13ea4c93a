"""Detections as input of the geometry: what counts as seen, and how certain it is."""

import numpy as np
import pytest

from pipeline.geometry.camera.model import Camera
from pipeline.labels.observations import EXPECTED_NOISE, observe, observe_landmarks
from pipeline.stores import POSES2D, open_store
from tests.world.detections import observed_walkers, overwrite_poses2d

HEIGHT_PX = 500.0


def observed_at(tmp_path, px, confidence=0.8):
    """Sigma, as a multiple of the expected noise of a person of 500 px, and confidence of joints at these pixels."""
    world = observed_walkers(tmp_path, n_recordings=1, n_frames=1, n_views=2, noise_px=0.0)
    [recording] = world.capture.recordings
    joints = np.full((1, 2, 17, 2), 500.0)
    joints[0, 0, : len(px)] = px
    box = np.broadcast_to([300.0, 200, 500, 200 + HEIGHT_PX], (1, 2, 4))
    overwrite_poses2d(world, "r0", joints_px=joints, confidence=np.full((1, 2, 17), confidence), box_px=box)
    cameras = [Camera(camera.K, np.zeros(0), camera.size_px) for camera in world.cameras]
    group = open_store(world.paths.poses2d, POSES2D)["r0"].person(0)
    observed = observe(recording, cameras, group, (0, 1), min_confidence=0.3)
    marks = observe_landmarks(recording, cameras, group, (0, 1), observed, min_confidence=0.3)
    np.testing.assert_array_equal(marks[1], observed.sigma)  # without landmarks, the joints
    sigma = observed.sigma[0, : len(px), 0] * observed.focal_px[0] / (EXPECTED_NOISE * HEIGHT_PX)
    return sigma, observed.confidence[0, : len(px), 0]


@pytest.mark.parametrize("px", [(-5, 500), (500, -1), (1003, 500), (500, 2000), (15, 500), (500, 985), (np.nan, 3)])
def test_what_lies_outside_the_picture_or_at_its_border_is_not_seen(tmp_path, px):
    sigma, confidence = observed_at(tmp_path, [px])
    assert np.isinf(sigma).all()
    assert np.isnan(confidence).all()


def test_what_lies_near_the_border_is_less_certain_unless_the_detector_is_sure(tmp_path):
    px = [(500, 500), (90, 500), (60, 500), (500, 970)]
    plain, near, nearer, _ = observed_at(tmp_path / "a", px)[0]
    assert plain == pytest.approx(near) == pytest.approx(1 / np.sqrt(0.8))
    assert nearer > 1.2 * plain
    sure, *others = observed_at(tmp_path / "b", px, confidence=1.0)[0]
    np.testing.assert_allclose(others, sure)


def test_the_lower_the_confidence_the_less_certain(tmp_path):
    assert observed_at(tmp_path / "a", [(500, 500)], confidence=0.25)[0] == np.inf
    [sigma], _ = observed_at(tmp_path / "b", [(500, 500)], confidence=0.36)
    assert sigma == pytest.approx(1 / 0.6)
