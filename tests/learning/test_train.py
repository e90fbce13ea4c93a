import csv
import json

import numpy as np
import pytest
import torch

from pipeline.errors import UserError
from pipeline.files import is_untrained, placeholder_alerts
from pipeline.learning.engine.checkpoints import load_network
from pipeline.learning.images.initial_weights import initial_network
from pipeline.learning.images.networks import PoseNetwork
from pipeline.learning.images.samples import split
from pipeline.learning.images.volumetric import VolumetricTask
from pipeline.stores import LABELS, POSES2D, PREDICTIONS, TRUTH, open_store, reopen
from tests.world.frames import ArrayFrames


def _edit_manifest(world, edit) -> None:
    path = world.paths.frames / "manifest.json"
    manifest = json.loads(path.read_text())
    edit(manifest)
    path.write_text(json.dumps(manifest))


def test_everything_is_written_and_the_loss_falls(world, params):
    world.train(params.model_copy(update={"epochs": 25, "lr": 3e-3}))
    rows = list(csv.DictReader(world.paths.curve("train").open()))
    losses = [float(row["train_loss"]) for row in rows]
    assert len(rows) == 25
    assert np.mean(losses[-3:]) < 0.7 * np.mean(losses[:3])
    assert all(np.isfinite(float(row["val_n_mpjpe_mm"])) for row in rows)
    network, metadata = load_network(world.paths.network, PoseNetwork)
    assert network.architecture.depth_bins == 16
    assert metadata["labels"]["from"] == "labels"
    assert metadata["labels"]["method"] == "exact"
    store = open_store(world.paths.predictions, PREDICTIONS)
    assert list(store) == ["S2"]
    assert store.summary.split == "test"
    assert store["S2"].person(0)["joints_px"].shape == (6, 3, 17, 2)
    # Every view is predicted, also the one kept for evaluation, and around the person.
    boxes = open_store(world.paths.poses2d, POSES2D)["S2"].person(0)["box_px"]
    center = (boxes[..., :2] + boxes[..., 2:]) / 2
    off = np.linalg.norm(store["S2"].person(0)["joints_px"].mean(2) - center, axis=-1)
    assert (off < 20).all()
    np.testing.assert_allclose(store["S2"].person(0)["relative_depth"][..., 0], 0, atol=1e-6)


def test_the_same_seed_gives_the_same_weights(world, params):
    weights = []
    for _ in range(2):
        world.train(params)
        weights.append(load_network(world.paths.network, PoseNetwork)[0].state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.parametrize(("init", "slower"), [("weights", True), ("random", False)])
def test_a_backbone_that_starts_from_given_weights_learns_at_its_own_rate(world, params, init, slower):
    moved = []
    for backbone_lr in (1.0, 0.01):
        changed = params.model_copy(update={"init": init, "backbone_lr": backbone_lr})
        start = initial_network(changed, world.paths.detector).backbone.state_dict()
        world.train(changed)
        learnt = load_network(world.paths.network, PoseNetwork)[0].backbone.state_dict()
        moved.append(float((learnt["stages.3.first.0.weight"] - start["stages.3.first.0.weight"]).abs().mean()))
    assert (moved[1] < 0.05 * moved[0]) if slower else (moved[1] == moved[0])


def test_another_seed_gives_other_weights(world, params):
    weights = []
    for seed in (0, 1):
        world.train(params.model_copy(update={"seed": seed}))
        weights.append(load_network(world.paths.network, PoseNetwork)[0].head.weight)
    assert not torch.equal(*weights)


def test_neither_test_recordings_nor_evaluation_views_train(world, params, monkeypatch):
    trained_on = []
    monkeypatch.setattr(VolumetricTask, "validation_error_mm", lambda *_: trained_on.extend(ArrayFrames.opened) or 0.0)
    world.train(params)
    used = {path.split("/")[-1] for path in trained_on}
    assert used == {"S0_0.npy", "S0_1.npy", "S1_0.npy", "S1_1.npy"}


def test_labels_of_test_data_do_not_matter(world, params):
    """Poison every label that may not be used: nothing changes."""
    world.train(params)
    clean = load_network(world.paths.network, PoseNetwork)[0].state_dict()
    labels = reopen(world.paths.labels, LABELS)
    for name in labels:
        joints = labels[name].person(0)["joints_cam_mm"]
        joints[:, 2] = 1e4
        if name == "S2":
            joints[:] = 1e4
        labels[name].person(0).write(0, {"joints_cam_mm": joints})
    world.train(params)
    poisoned = load_network(world.paths.network, PoseNetwork)[0].state_dict()
    assert all(torch.equal(clean[name], poisoned[name]) for name in clean)


def test_full_supervision_is_the_truth(world, params):
    """With exact labels both supervisions see the same samples; with poisoned labels full still sees the truth."""
    own = world.samples(params)
    labels = reopen(world.paths.labels, LABELS)
    for name in labels:
        labels[name].person(0).write(0, {"joints_cam_mm": np.full((6, 3, 17, 3), 1e4)})
    full = world.samples(params.model_copy(update={"supervision": "full"}))
    np.testing.assert_allclose(own.joints_cam_mm, full.joints_cam_mm, atol=1e-2)
    np.testing.assert_allclose(own.joints_px, full.joints_px, atol=1e-3)


def test_self_supervision_reads_no_truth_and_no_extrinsics(world, params):
    def strip(manifest):
        for recording in manifest["recordings"]:
            for view in recording["views"]:
                view["R_cam_from_world"] = view["t_cam_from_world_mm"] = None

    _edit_manifest(world, strip)
    truth = reopen(world.paths.truth, TRUTH)
    for name in truth:
        truth[name].person(0).write(0, {"joints_world_mm": np.full((6, 17, 3), np.nan)})
    world.train(params)
    assert world.paths.predictions.exists()
    with pytest.raises(UserError, match=r"full requires the extrinsics"):
        world.train(params.model_copy(update={"supervision": "full"}))


def test_full_supervision_without_truth(world, params):
    world.paths.truth.rename(world.paths.frames / "gone.zarr")
    with pytest.raises(UserError, match="requires the truth"):
        world.train(params.model_copy(update={"supervision": "full"}))


def test_no_training_recording(world, params):
    _edit_manifest(world, lambda m: [r.update(split="test") for r in m["recordings"]])
    with pytest.raises(UserError, match="None of the 3 recordings is for training"):
        world.train(params)
    assert not world.paths.network.exists()
    assert not world.paths.predictions.exists()


def test_no_test_recording_predicts_the_training_ones_and_says_so(world, params):
    _edit_manifest(world, lambda m: [r.update(split="train") for r in m["recordings"]])
    world.train(params)
    store = open_store(world.paths.predictions, PREDICTIONS)
    assert list(store) == ["S0", "S1", "S2"]
    assert store.summary.split == "train"
    assert "no_test_recordings" in [alert.kind for alert in store.summary.alerts]


def test_no_valid_label(world, params):
    labels = reopen(world.paths.labels, LABELS)
    for name in labels:
        labels[name].person(0).write(0, {"joints_cam_mm": np.full((6, 3, 17, 3), np.nan)})
    world.train(params)
    [alert] = placeholder_alerts(world.paths.predictions)
    assert (alert.kind, alert.severity) == ("not_trained", "error")
    assert alert.evidence == "None of 24 training images has a person and a valid label"
    assert is_untrained(world.paths.network)
    assert world.paths.curve("train").read_text().startswith("epoch,")
    # The truth of subjects who are not there is an error of the parameters, not of the footage.
    with pytest.raises(UserError, match="No training recording"):
        world.train(params.model_copy(update={"supervision": "subset", "subjects": ["S7"]}))


def _without_joints(world, *joints):
    labels = reopen(world.paths.labels, LABELS)
    for name in labels:
        values = labels[name].person(0)["joints_cam_mm"]
        values[:, :, joints] = np.nan
        labels[name].person(0).write(0, {"joints_cam_mm": values})


def test_joints_that_were_never_labelled_are_named_as_not_learnt(world, params):
    _without_joints(world, 3, 6)
    world.train(params)
    summary = open_store(world.paths.predictions, PREDICTIONS).summary
    missing, few = summary.alerts
    assert (missing.kind, missing.severity) == ("joints_not_trained", "warning")
    assert "r_ankle, l_ankle;" in missing.message
    assert (few.kind, few.evidence) == ("few_training_samples", "20 images with labels")


def test_without_any_label_of_the_pelvis_depths_cannot_be_learnt(world, params):
    _without_joints(world, 0)
    world.train(params)
    [alert] = placeholder_alerts(world.paths.predictions)
    assert "label of the pelvis" in alert.evidence


def test_images_without_person_or_label_are_left_out(world, params):
    poses2d = reopen(world.paths.poses2d, POSES2D)
    boxes = poses2d["S0"].person(0)["box_px"]
    boxes[0, 0] = np.nan
    poses2d["S0"].person(0).write(0, {"box_px": boxes})
    labels = reopen(world.paths.labels, LABELS)
    joints = labels["S1"].person(0)["joints_cam_mm"]
    joints[2] = np.nan
    joints[3, :, 5] = np.nan
    labels["S1"].person(0).write(0, {"joints_cam_mm": joints})
    samples = world.samples(params)
    assert len(samples) == 24 - 1 - 2
    # A frame with one rejected joint stays.
    assert np.isnan(samples.joints_px).any((1, 2)).sum() == 2


def test_validation_frames_are_the_same_in_all_views(world, params):
    samples = world.samples(params)
    trained, validation = split(samples, [])
    assert len(trained) + len(validation) == len(samples)
    assert set(validation.frames) == {5}
    assert 5 not in trained.frames


def test_predictions_are_nan_where_no_person_was_found(world, params):
    poses2d = reopen(world.paths.poses2d, POSES2D)
    boxes = poses2d["S2"].person(0)["box_px"]
    boxes[4, 1] = np.nan
    poses2d["S2"].person(0).write(0, {"box_px": boxes})
    world.train(params)
    depth = open_store(world.paths.predictions, PREDICTIONS)["S2"].person(0)["relative_depth"]
    assert np.isnan(depth[4, 1]).all()
    assert np.isfinite(np.delete(depth.reshape(18, 17), 4 * 3 + 1, axis=0)).all()
