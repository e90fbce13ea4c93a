"""Lifting through the stage's function, on the stick figures' stores."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch

from pipeline.capture import read_capture
from pipeline.errors import UserError
from pipeline.files import placeholder_alerts
from pipeline.geometry.camera.model import undistort
from pipeline.learning.engine.checkpoints import load_network
from pipeline.learning.images.networks import PoseNetwork
from pipeline.learning.images.samples import training_recordings
from pipeline.learning.lifting.adult_scale import in_adult_size
from pipeline.learning.lifting.method import lifting_task
from pipeline.learning.lifting.multi_view_batch import MultiViewBatch
from pipeline.learning.lifting.multi_view_frames import UNIT_MM
from pipeline.learning.lifting.networks import LiftingNetwork
from pipeline.learning.lifting.projection import project, to_camera
from pipeline.learning.lifting.recordings import recording_frames
from pipeline.learning.supervision import target_reader
from pipeline.metrics import n_mpjpe
from pipeline.params.train import TrainParams
from pipeline.skeleton import ROOT
from pipeline.stores import LABELS, POSES2D, PREDICTIONS, RIGS, TRUTH, create_store, open_store, reopen
from tests.learning.conftest import lifting_params
from tests.world.labels import set_uncertainty
from tests.world.records import POSES2D_SUMMARY, poses2d_record


@pytest.fixture
def lifting(params):
    return params.model_copy(update={"model": "lifting", "lifting": lifting_params(), "epochs": 16, "lr": 3e-3})


def with_lifting(params, **changes):
    return params.model_copy(update={"lifting": lifting_params(**changes)})


def losses(**terms):
    return lifting_params().losses.model_copy(update={"labels": 0.0, **terms})


CASES = {
    "labels": {},
    "transform": {"losses": losses(reprojection=1.0, transform=1.0)},
    "root branch": {"losses": losses(reprojection=1.0, transform=1.0, consistency=1.0), "root": "ray"},
    "as printed": {
        "losses": losses(reprojection=1.0, transform=1.0), "root": "direct", "squared": True, "confidence": "source",
        "pretrain_epochs": 2, "backbone": "li2020",
    },
    "virtual views": {"virtual_views": 3, "freeze_after": 0.5},
    "windows": {"backbone": "temporal", "frames": 3},
    "transformer": {"backbone": "transformer", "frames": 5},
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_every_objective_and_backbone_trains(world, lifting, name):
    """The loss falls, and everything the report reads is written, for test recordings and all their views."""
    world.train(with_lifting(lifting, **CASES[name]))
    rows = list(csv.DictReader(world.paths.curve("train").open()))
    first, last = (float(rows[i]["train_loss"]) for i in (3, -1))
    assert last < first
    assert float(rows[-1]["val_n_mpjpe_mm"]) > 0
    store = open_store(world.paths.predictions, PREDICTIONS)
    assert list(store) == ["S2"]
    assert store["S2"].person(0)["joints_px"].shape == (6, 3, 17, 2)
    assert np.isfinite(store["S2"].person(0)["joints_px"]).all()
    np.testing.assert_allclose(store["S2"].person(0)["relative_depth"][..., ROOT], 0, atol=1e-6)
    network, metadata = load_network(world.paths.network, LiftingNetwork)
    assert metadata["frames"] == 10
    assert metadata["labels"]["from"] == "labels"
    assert network.architecture.backbone == CASES[name].get("backbone", "martinez2017")


def test_what_it_learns_is_the_pose(world, lifting):
    """Tested on its training people, placed at the true root as in the report, it finds their depth."""
    manifest = world.paths.frames / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"test"', '"train"'))
    world.train(with_lifting(lifting, dropout=0.0).model_copy(update={"epochs": 100}))
    capture, store = read_capture(world.paths.frames), open_store(world.paths.predictions, PREDICTIONS)
    truth = open_store(world.paths.truth, TRUTH)
    errors = []
    for recording in capture.recordings:
        for v in recording.view_indices(for_labels=True):
            camera = recording.views[v].camera
            true = camera.to_camera(truth[recording.name].person(0)["joints_world_mm"])
            depth = (1 + store[recording.name].person(0)["relative_depth"][:, v]) * true[:, ROOT, 2:]
            points_norm = undistort(store[recording.name].person(0)["joints_px"][:, v], camera.K, camera.dist)
            placed = np.concatenate([points_norm, np.ones_like(points_norm[..., :1])], -1) * depth[..., None]
            errors.append(n_mpjpe(placed, true)[:5])  # the last frame is for validation
    assert np.mean(errors) < 110  # people turned any way, their joints 60 mm off on each axis: 260 mm untrained


def test_moments_of_the_stores_are_what_the_cameras_saw(world, lifting):
    capture, poses2d = read_capture(world.paths.frames), open_store(world.paths.poses2d, POSES2D)
    recording = capture.recordings[0]
    found = recording_frames(recording, poses2d["S0"], target_reader(lifting, world.paths)(recording))
    assert found.points_norm.shape == (6, 2, 17, 2), "views kept for evaluation are not trained on"
    seen = project(to_camera(found.labels[:, None], found.R, found.t))
    torch.testing.assert_close(found.points_norm, seen, atol=1e-4, rtol=0)
    truth = open_store(world.paths.truth, TRUTH)["S0"].person(0)["joints_world_mm"]
    np.testing.assert_allclose(UNIT_MM * found.labels, truth, atol=0.1)


def test_without_a_scale_people_are_of_adult_size(world, lifting):
    """Labels and rig shrunk a hundredfold, and said to have no scale: the same moments but for one factor."""
    capture, poses2d = read_capture(world.paths.frames), open_store(world.paths.poses2d, POSES2D)
    recording = capture.recordings[0]
    targets = target_reader(lifting, world.paths)(recording)
    small = replace(
        targets, joints_cam_mm=targets.joints_cam_mm / 100, t_cam_from_world_mm=targets.t_cam_from_world_mm / 100,
        has_scale=False,
    )  # fmt: skip
    [(_, adult)], factors = in_adult_size([(recording, small)])
    assert 50 < factors["S0"] < 200
    found = recording_frames(recording, poses2d["S0"], adult)
    thigh = (found.labels[:, 1] - found.labels[:, 2]).norm(dim=-1).median() * UNIT_MM
    assert 350 < thigh < 550
    seen = project(to_camera(found.labels[:, None], found.R, found.t))
    torch.testing.assert_close(found.points_norm, seen, atol=1e-4, rtol=0)


def test_uncertain_labels_count_less_where_that_is_wanted(world, lifting):
    """A joint of three times the others' deviation weighs a fifth, as for the volumetric network."""
    set_uncertainty(world, joint=5, uncertainty_mm=30.0)

    def weights(**update):
        changed = lifting.model_copy(update=update)
        capture, poses2d = read_capture(world.paths.frames), open_store(world.paths.poses2d, POSES2D)
        task = lifting_task(
            poses2d, training_recordings(capture, poses2d, target_reader(changed, world.paths)), changed
        )
        _, *views = next(task.batches([np.arange(len(task))], (0,)))
        return MultiViewBatch(*views).label_weight.numpy()

    weighed = np.sort(weights(weighting="uncertainty"), axis=1)
    np.testing.assert_allclose(weighed[:, 0] / weighed[:, 1], 0.2, rtol=1e-5)
    assert weighed.mean() == pytest.approx(1, abs=1e-5)
    assert (weights(weighting="none") == 1).all()
    assert (weights(weighting="uncertainty", supervision="full") == 1).all()


def test_the_transform_loss_needs_no_label(world, lifting):
    """With every label gone but the rig's there, detections alone teach; labels alone do not."""
    labels = reopen(world.paths.labels, LABELS)
    for name in labels:
        labels[name].person(0).write(0, {"joints_cam_mm": np.full((6, 3, 17, 3), np.nan)})
    world.train(with_lifting(lifting, **CASES["transform"]).model_copy(update={"epochs": 2}))
    summary = open_store(world.paths.predictions, PREDICTIONS).summary
    assert "joints_not_trained" not in [alert.kind for alert in summary.alerts]
    world.train(lifting)
    [alert] = placeholder_alerts(world.paths.predictions)
    assert "None of 12 training frames has a person and a valid label" in alert.evidence


def test_joints_without_labels_are_named_as_not_learnt(world, lifting):
    labels = reopen(world.paths.labels, LABELS)
    for name in labels:
        joints = labels[name].person(0)["joints_cam_mm"]
        joints[:, :, 3] = np.nan
        labels[name].person(0).write(0, {"joints_cam_mm": joints})
    world.train(lifting.model_copy(update={"epochs": 2}))
    alerts = open_store(world.paths.predictions, PREDICTIONS).summary.alerts
    assert any("it did not learn r_ankle;" in alert.message for alert in alerts)


def test_a_view_without_a_person_teaches_nothing_and_predicts_nothing(world, lifting):
    poses2d = reopen(world.paths.poses2d, POSES2D)
    for name in ("S0", "S2"):
        joints, confidence = poses2d[name].person(0)["joints_px"], poses2d[name].person(0)["confidence"]
        joints[4, 1], confidence[4, 1] = np.nan, 0
        poses2d[name].person(0).write(0, {"joints_px": joints, "confidence": confidence})
    world.train(lifting.model_copy(update={"epochs": 3}))
    depth = open_store(world.paths.predictions, PREDICTIONS)["S2"].person(0)["relative_depth"]
    assert np.isnan(depth[4, 1]).all()
    assert np.isfinite(np.delete(depth.reshape(18, 17), 4 * 3 + 1, axis=0)).all()


def test_a_rig_that_lost_a_view_still_teaches(world, lifting):
    rigs = reopen(world.paths.rigs, RIGS)
    t = rigs["S0"]["t_cam_from_world_mm"]
    t[:, 1] = np.nan
    rigs["S0"].write(0, {"t_cam_from_world_mm": t})
    world.train(with_lifting(lifting, **CASES["transform"]).model_copy(update={"epochs": 2}))
    assert np.isfinite(float(list(csv.DictReader(world.paths.curve("train").open()))[-1]["train_loss"]))


def test_the_same_seed_gives_the_same_weights(world, lifting):
    changed = with_lifting(lifting, virtual_views=2).model_copy(update={"epochs": 2})
    weights = []
    for seed in (0, 0, 1):
        world.train(changed.model_copy(update={"seed": seed}))
        weights.append(load_network(world.paths.network, LiftingNetwork)[0].state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert not torch.equal(weights[0]["pose.last.weight"], weights[2]["pose.last.weight"])


def test_labels_of_other_frames_are_refused(world, lifting):
    poses2d = open_store(world.paths.poses2d, POSES2D)
    kept = {
        name: {a: poses2d[name].person(0)[a][:5] for a in ("joints_px", "confidence", "box_px")} for name in poses2d
    }
    with create_store(world.paths.poses2d, POSES2D, POSES2D_SUMMARY) as store:
        for name, arrays in kept.items():
            store.create(name, {"frame": 5, "view": 3}, poses2d_record(name)).person(0).write(0, arrays)
    with pytest.raises(UserError, match="5 frames of 2D poses, but 6 of labels"):
        world.train(lifting)


def test_too_few_moments_to_keep_any_out_train_all_the_same(world, lifting):
    labels = reopen(world.paths.labels, LABELS)
    for name in ("S0", "S1"):
        joints = labels[name].person(0)["joints_cam_mm"]
        joints[:5] = np.nan
        labels[name].person(0).write(0, {"joints_cam_mm": joints})
    world.train(lifting.model_copy(update={"epochs": 1, "batch_size": 2}))
    assert load_network(world.paths.network, LiftingNetwork)[1]["frames"] == 2


def test_pretraining_must_end(lifting):
    values = lifting.model_dump() | {"epochs": 20, "lifting": lifting_params(pretrain_epochs=20).model_dump()}
    with pytest.raises(ValueError, match=r"pretrain_epochs = 20 leaves none of 20 epochs"):
        TrainParams.model_validate(values)


def test_a_checkpoint_of_another_kind_is_refused_with_both_names(world, lifting):
    with pytest.raises(UserError, match="holds a volumetric network, a lifting one is needed"):
        load_network(world.paths.detector, LiftingNetwork)
    world.train(lifting.model_copy(update={"epochs": 1}))
    with pytest.raises(UserError, match="holds a lifting network, a volumetric one is needed"):
        load_network(world.paths.network, PoseNetwork)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"frames": 3}, "martinez2017 sees one frame"),
        ({"backbone": "temporal", "frames": 25}, "power of three"),
        ({"backbone": "transformer", "frames": 8}, "must be odd"),
        ({"losses": losses()}, "at least one of losses must be larger than 0"),
    ],
)
def test_parameters_that_do_not_fit_each_other_are_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        lifting_params(**changes)
