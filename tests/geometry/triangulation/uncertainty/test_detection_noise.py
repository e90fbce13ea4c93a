"""The noise model finds the scales, tails and lasting share of simulated errors."""

import numpy as np
import pytest

from pipeline.geometry.triangulation.uncertainty.agreement import Agreement
from pipeline.geometry.triangulation.uncertainty.detection_noise import (
    PRIOR_DOF,
    SHARED,
    DetectionNoise,
    fit_noise,
    lasting_share,
)

SCALES = np.array([0.5, 1.0, 4.0])


def errors(dof, n_frames=800, n_views=4, seed=0):
    """Squared errors (F, J, V) of two coordinates; a joint's errors in a frame share one variance, and that."""
    rng = np.random.default_rng(seed)
    shape = (n_frames, len(SCALES))
    variance = SCALES * (dof / rng.chisquare(dof, shape) if np.isfinite(dof) else np.ones(shape))
    return variance[..., None] * (rng.normal(size=(*shape, n_views, 2)) ** 2).sum(-1), variance


def fit(squared, lasting=0.0, **more):
    return fit_noise(squared, np.full(squared.shape, 2.0), lasting, **more)


@pytest.mark.parametrize(("dof", "low", "high"), [(3.0, 2.5, 4.0), (np.inf, 20.0, 100.0)])
def test_scales_and_tails_are_found(dof, low, high):
    found = fit(errors(dof)[0], lasting=0.5)
    np.testing.assert_allclose(found.variance, SCALES, rtol=0.12)
    assert low <= found.dof <= high
    assert found.shared == SHARED * 0.5


def test_the_local_variance_is_the_expected_one():
    squared, variance = errors(5.0, n_frames=4000)
    noise = DetectionNoise(5.0, SCALES, 0.0, np.zeros(3))
    seen = Agreement(squared.sum(-1), np.full(variance.shape, 8.0))
    stated = noise.local_variance(seen)
    order = np.argsort(stated.ravel())
    ratios = [variance.ravel()[part].mean() / stated.ravel()[part].mean() for part in np.array_split(order, 5)]
    np.testing.assert_allclose(ratios, 1, atol=0.12)
    per_view = noise.local_variance(Agreement(squared, np.full(squared.shape, 2.0)))
    assert per_view.shape == squared.shape


def test_few_samples_stay_near_the_expected_noise():
    few = np.full((2, 3, 4), np.nan)
    np.testing.assert_allclose(fit(few).variance, 1)
    assert fit(few).dof == PRIOR_DOF
    few[0, 1, 0] = 200.0
    assert 1 < fit(few).variance[1] < 5


def test_the_part_of_the_rig_is_its_share():
    squared, _ = errors(np.inf)
    found = fit(squared, by_rig=np.broadcast_to(SCALES[:, None], squared.shape))
    np.testing.assert_allclose(found.by_rig, 0.5, atol=0.07)
    assert (fit(squared, by_rig=9 * squared).by_rig == 1).all()


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_what_lasts_is_found(correlation):
    rng = np.random.default_rng(4)
    noise = rng.normal(size=(300, 5, 3, 2))
    for f in range(1, 300):
        noise[f] = correlation * noise[f - 1] + np.sqrt(1 - correlation**2) * noise[f]
    noise[100] = np.nan
    assert lasting_share(noise) == pytest.approx(correlation, abs=0.05)


def test_frames_without_neighbours_are_taken_to_last():
    alone = np.full((7, 2, 3, 2), np.nan)
    alone[::2] = 1.0
    assert lasting_share(alone) == 1.0


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="fit_noise"):
        fit_noise(np.ones((2, 3, 4)), np.ones((2, 3, 1)), 0.0)
