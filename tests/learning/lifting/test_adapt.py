import numpy as np
import pytest

from pipeline.capture import read_capture
from pipeline.errors import UserError
from pipeline.learning.engine.checkpoints import load_network
from pipeline.learning.lifting.adapt import adapt
from pipeline.learning.lifting.networks import LiftingNetwork
from pipeline.params.train import LoopParams
from pipeline.skeleton import ROOT
from pipeline.stores import LABELS, PREDICTIONS, RIGS, TRUTH, create_store, open_store, reopen
from tests.learning.conftest import lifting_params
from tests.world.records import RIGS_SUMMARY

LOOP = LoopParams(
    epochs=60,
    batch_size=6,
    lr=2e-3,
    warm_up=0.05,
    schedule="cosine",
    weight_decay=0.01,
    clip_grad_norm=5.0,
    ema=0.0,
    keep="last",
    patience=0,
    seed=0,
)


@pytest.fixture
def trained(world, params):
    """A world with a network that was hardly trained, and no label of the test recording."""
    labels = reopen(world.paths.labels, LABELS)
    labels["S2"].person(0).write(0, {"joints_cam_mm": np.full((6, 3, 17, 3), np.nan)})
    changes = {"model": "lifting", "lifting": lifting_params(dropout=0.0), "epochs": 3, "lr": 3e-3}
    world.train(params.model_copy(update=changes))
    return world


def depth_error(world, predictions):
    """Mean error of the relative depths in the test recording's labelling views."""
    recording = next(r for r in read_capture(world.paths.frames).recordings if r.name == "S2")
    true = open_store(world.paths.truth, TRUTH)["S2"].person(0)["joints_world_mm"]
    depth = np.stack([recording.views[v].camera.to_camera(true)[..., 2] for v in (0, 1)], 1)
    found = open_store(predictions, PREDICTIONS)["S2"].person(0)["relative_depth"][:, :2]
    return np.abs(found - (depth / depth[..., ROOT : ROOT + 1] - 1)).mean()


def test_detections_and_a_rig_are_enough_to_get_better(trained, tmp_path):
    out = tmp_path / "adapted"
    adapt(trained.paths.network, trained.paths.frames, trained.paths.poses2d, trained.paths.rigs, out, "test", LOOP)
    assert list(open_store(out / "predictions.zarr", PREDICTIONS)) == ["S2"]
    assert depth_error(trained, out / "predictions.zarr") < 0.7 * depth_error(trained, trained.paths.predictions)
    before, after = (load_network(path, LiftingNetwork) for path in (trained.paths.network, out / "pose3d.pt"))
    assert after[1] == {**before[1], "adapted_to": ["S2"]}
    norms = [name for name in before[0].state_dict() if "running" in name]
    assert norms
    for name in norms:
        np.testing.assert_array_equal(before[0].state_dict()[name], after[0].state_dict()[name])


def test_bad_input_is_refused(trained, tmp_path):
    others = trained.paths.frames, trained.paths.poses2d, trained.paths.rigs, tmp_path / "adapted"
    with pytest.raises(UserError, match="holds a volumetric network, a lifting one is needed"):
        adapt(trained.paths.detector, *others, "test", LOOP)
    with create_store(trained.paths.rigs, RIGS, RIGS_SUMMARY):
        pass
    with pytest.raises(UserError, match="None of the 3 recordings is of the split 'test' and has a rig"):
        adapt(trained.paths.network, *others, "test", LOOP)
    assert not (tmp_path / "adapted").exists()


def test_a_rig_without_a_scale_is_refused(trained, tmp_path):
    rig = open_store(trained.paths.rigs, RIGS)["S2"]
    arrays = {name: rig[name] for name in ("R_cam_from_world", "t_cam_from_world_mm")}
    with create_store(trained.paths.rigs, RIGS, RIGS_SUMMARY) as rigs:
        rigs.create("S2", {"rig": 1, "view": 3}, rig.record.model_copy(update={"scale": "none"})).write(0, arrays)
    with pytest.raises(UserError, match="nothing fixed the scale of the rig"):
        adapt(
            trained.paths.network,
            trained.paths.frames,
            trained.paths.poses2d,
            trained.paths.rigs,
            tmp_path / "adapted",
            "test",
            LOOP,
        )
