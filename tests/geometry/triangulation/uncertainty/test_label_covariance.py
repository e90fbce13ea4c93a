"""Stated covariances of labels are those of their errors."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.geometry.triangulation.uncertainty.detection_noise import DetectionNoise
from pipeline.geometry.triangulation.uncertainty.label_covariance import label_covariance
from pipeline.geometry.triangulation.uncertainty.rig_motion import pose_root, rig_covariance
from tests.geometry.triangulation.uncertainty.scenes import scene

NORMAL = DetectionNoise(100.0, np.ones(17), 0.0, np.zeros(17))


def stated(here, noise=NORMAL, root=None):
    made = here.label(here.sigma)
    root = np.zeros((24, 0)) if root is None else root
    by_rig = rig_covariance(made.points, np.where(made.used, here.sigma, np.inf), here.R, here.t, root)
    covariance = label_covariance(made, here.points_norm, here.sigma, here.limit, here.R, here.t, noise, by_rig)
    return made, replace(made, covariance=covariance).uncertainty


def ratio(errors, std):
    return np.sqrt((errors**2).mean() / (std**2).mean())


def test_independent_noise_is_stated_as_it_is():
    here = scene(300)
    made, std = stated(here)
    assert ratio(np.linalg.norm(made.points - here.joints, axis=-1), std) == pytest.approx(1, abs=0.05)


def test_frames_of_a_larger_noise_are_less_certain():
    spread = np.random.default_rng(5).choice([0.6, 3.0], (600, 17, 1, 1), p=[0.8, 0.2])
    here = scene(600, noise=spread)
    made, std = stated(here, DetectionNoise(3.0, np.full(17, 0.6), 0.0, np.zeros(17)))
    error, loud = np.linalg.norm(made.points - here.joints, axis=-1), spread[:, :, 0, 0] > 1
    assert 0.75 < ratio(error[loud], std[loud]) < 1.3
    assert 0.6 < ratio(error[~loud], std[~loud]) < 1.2


def test_errors_that_all_views_share_are_stated():
    here = scene(300)
    shift = np.random.default_rng(6).normal(size=here.joints.shape)
    depth = np.median(np.linalg.norm(here.t, axis=-1))
    shared = 0.8
    moved = here.joints + np.sqrt(shared) * 0.004 * depth * shift
    made, std = stated(here, replace(NORMAL, shared=shared))
    assert ratio(np.linalg.norm(made.points - here.joints + (moved - here.joints), axis=-1), std) == pytest.approx(
        1, abs=0.08
    )


def test_the_rig_adds_and_replaces_its_share():
    here = scene(20)
    root = pose_root(np.diag(np.tile([0.01, 0.01, 0.01, 0.0, 0.0, 0.0], 4) ** 2))
    _, without = stated(here)
    _, with_rig = stated(here, root=root)
    assert (with_rig > 1.3 * without).all()
    _, only_rig = stated(here, replace(NORMAL, by_rig=np.ones(17)), root)
    np.testing.assert_allclose(only_rig**2, with_rig**2 - without**2, rtol=1e-6)


def test_missing_labels_have_no_covariance():
    here = scene(4)
    here.points_norm[1, 5, :3] = np.nan
    _, std = stated(here)
    assert np.isnan(std[1, 5])
    assert np.isfinite(std).sum() == std.size - 1
