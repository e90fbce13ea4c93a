"""The noise of a recording is measured on a sample of its frames."""

import numpy as np
import pytest

from pipeline.geometry.triangulation.uncertainty.detection_noise import SHARED
from pipeline.labels.label_noise import NoiseSample, measure_noise, noise_of
from pipeline.labels.observations import Observations
from tests.geometry.triangulation.uncertainty.scenes import scene

FRAME_S = 0.04


def sample(here):
    """All frames of a scene as one sample."""
    seen = Observations(
        here.points_norm, here.sigma, np.ones(here.sigma.shape), np.ones((len(here.joints), 1, here.t.shape[1])),
        np.full(here.t.shape[1], 1000.0),
    )  # fmt: skip
    return NoiseSample(seen, here.limit, here.R, here.t, here.label, here.label(here.sigma))


def measure(here, frame_s=FRAME_S):
    return measure_noise([sample(here)], np.zeros((6 * here.t.shape[1], 0)), frame_s)


@pytest.mark.parametrize("n_views", [2, 4])
def test_noise_of_any_number_of_views_is_found(n_views):
    found = measure(scene(100, n_views, noise=1.5))
    assert np.mean(found.variance) == pytest.approx(1.5**2, rel=0.15)
    assert found.shared < 0.1 * SHARED
    assert (found.n_left_out > 0) == (n_views > 2)


def test_left_out_distances_are_as_stated():
    found = measure(scene(150))
    stated, distance = np.array(found.left_out_px).T
    np.testing.assert_allclose(distance / stated, 1, atol=0.15)
    assert found.n_left_out == 150 * 17 * 4


def test_errors_that_last_are_taken_to_be_shared():
    error = np.random.default_rng(7).normal(size=(1, 17, 4, 2))
    lasting = scene(60, noise=0.0)
    constant = type(lasting)(lasting.joints, lasting.points_norm + 0.004 * error, lasting.R, lasting.t)
    assert measure(constant).shared == pytest.approx(SHARED, rel=0.1)
    assert measure(scene(60), frame_s=1.0).shared == SHARED


def test_the_record_gives_the_noise():
    record = measure(scene(20))
    noise = noise_of(record)
    assert (noise.dof, noise.shared) == (record.dof, record.shared)
    np.testing.assert_array_equal(noise.variance, record.variance)
