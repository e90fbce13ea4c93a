"""The crop of 2000 mm: around the target in training, and from one view alone at test."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.capture import read_capture
from pipeline.errors import UserError
from pipeline.learning.engine.checkpoints import load_network
from pipeline.learning.images.metric_crop import METRIC_SIDE_MM, metric_crops, metric_side_factor, single_view_crops
from pipeline.learning.images.networks import PoseNetwork
from pipeline.learning.images.samples import samples_to_predict
from pipeline.learning.supervision import given_cameras
from pipeline.skeleton import ROOT
from pipeline.stores import LABELS, POSES2D, PREDICTIONS, RIGS, TRUTH, create_store, open_store, reopen


@pytest.fixture
def samples(world, params):
    return world.samples(params)


def test_training_crops_are_two_metres_around_the_pelvis(samples):
    metric = metric_crops(samples)
    np.testing.assert_allclose(metric.center_px, samples.joints_px[:, ROOT])
    np.testing.assert_allclose(metric.side_px, METRIC_SIDE_MM * 90 / samples.joints_cam_mm[:, ROOT, 2])


def test_without_a_target_pelvis_the_training_crop_is_the_boxs(samples):
    samples.joints_cam_mm[1, ROOT] = np.nan
    samples.joints_px[1, ROOT] = np.nan
    metric = metric_crops(samples)
    assert metric.side_px[1] == samples.side_px[1]
    np.testing.assert_array_equal(metric.center_px[1], samples.center_px[1])
    assert np.isfinite(metric_side_factor(samples))


def test_test_crops_are_those_of_the_training_as_far_as_one_view_tells(samples):
    metric, single = metric_crops(samples), single_view_crops(samples, metric_side_factor(samples))
    np.testing.assert_allclose(single.center_px, metric.center_px, atol=1e-3)
    assert np.median(single.side_px / metric.side_px) == pytest.approx(1, rel=1e-2)
    assert (np.abs(np.log(single.side_px / metric.side_px)) < 0.35).all()


def test_test_crops_do_not_depend_on_targets(samples):
    blind = replace(samples, joints_cam_mm=np.full_like(samples.joints_cam_mm, np.nan))
    blind = replace(blind, joints_px=np.full_like(samples.joints_px, np.nan))
    for one in ("center_px", "side_px"):
        expected = getattr(single_view_crops(samples, 1.3), one)
        np.testing.assert_array_equal(getattr(single_view_crops(blind, 1.3), one), expected)


def test_an_undetected_pelvis_leaves_the_boxs_centre(world):
    recording = next(r for r in read_capture(world.paths.frames).recordings if r.name == "S2")
    view = next(iter(samples_to_predict(recording, given_cameras(recording), open_store(world.paths.poses2d, POSES2D))))
    view.detected_root_px[2] = np.nan
    single = single_view_crops(view, 1.3)
    np.testing.assert_array_equal(single.center_px[2], view.center_px[2])
    assert not (single.center_px[:2] == view.center_px[:2]).any()


@pytest.mark.parametrize("supervision", ["self", "full"])
def test_predictions_do_not_depend_on_labels_or_truth_of_the_test(world, params, supervision):
    params = params.model_copy(update={"crop": "metric", "supervision": supervision, "epochs": 1})
    predictions = []
    for _ in range(2):
        world.train(params)
        predictions.append(open_store(world.paths.predictions, PREDICTIONS)["S2"].person(0)["joints_px"])
        labels, truth = reopen(world.paths.labels, LABELS), reopen(world.paths.truth, TRUTH)
        moved = labels["S2"].person(0)["joints_cam_mm"] + [400.0, 0, 900.0]
        labels["S2"].person(0).write(0, {"joints_cam_mm": moved})
        truth["S2"].person(0).write(0, {"joints_world_mm": truth["S2"].person(0)["joints_world_mm"] + 400.0})
    np.testing.assert_array_equal(*predictions)
    assert load_network(world.paths.network, PoseNetwork)[1]["metric_side_factor"] > 0


def test_a_rig_without_a_scale_is_refused(world, params):
    old = open_store(world.paths.rigs, RIGS)
    rigs = {name: (old[name].record, {a.name: old[name][a.name] for a in RIGS.arrays}) for name in old}
    with create_store(world.paths.rigs, RIGS, old.summary) as store:
        for name, (record, arrays) in rigs.items():
            without_scale = record.model_copy(update={"scale": "none"})
            store.create(name, {"rig": 1, "view": 3}, without_scale).write(0, arrays)
    world.samples(params)
    with pytest.raises(UserError, match="crop = metric is 2000 mm wide, but nothing fixed the scale"):
        world.samples(params.model_copy(update={"crop": "metric"}))
