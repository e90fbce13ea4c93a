import numpy as np

from pipeline.files import placeholder_alerts, placeholder_reason, write_placeholder
from pipeline.learning.refinement import refine
from pipeline.learning.refinement.refine import refine_or_explain
from pipeline.stores import LABELS, PREDICTIONS, open_store, reopen
from tests.learning.refinement.conftest import PARAMS, refine_world


def test_every_source_and_what_is_said_of_it(world, params):
    world.train(params)
    given = open_store(world.paths.predictions, PREDICTIONS)
    before = given["S2"].person(0)
    for source in ("truth", "labels"):
        figures = refine_world(world, params, source)
        [found] = figures.values()
        assert set(figures) == {f"refine_{source}"}
        assert set(found["before"]) == set(found["after"]) == {"n_mpjpe_mm", "pa_mpjpe_mm"}
        store = open_store(world.paths.refined(source) / "predictions.zarr", PREDICTIONS)
        # It can stand for what it improves.
        assert store.summary == given.summary.model_copy(update={"refined_by": source})
        after = store["S2"].person(0)
        # The root stays where it was; other joints move.
        np.testing.assert_allclose(after["joints_px"][:, :, 0], before["joints_px"][:, :, 0], atol=1e-3)
        assert (np.abs(after["joints_px"] - before["joints_px"]).max((0, 1, 3))[1:] > 0).all()


def test_labels_need_no_truth(world, params):
    world.train(params)
    world.paths.truth.rename(world.paths.frames / "gone.zarr")
    assert refine_world(world, params, "labels") == {"refine_labels": {}}


def test_poses_and_pixels_agree(world, params, monkeypatch):
    """A unit that changes nothing gives the predictions back."""
    world.train(params)
    monkeypatch.setattr(refine, "refine_poses", lambda unit, given: given.poses)
    refine_world(world, params, "truth")
    given, kept = (
        open_store(path, PREDICTIONS)["S2"].person(0)
        for path in (world.paths.predictions, world.paths.refined("truth") / "predictions.zarr")
    )
    for name in ("joints_px", "relative_depth"):
        np.testing.assert_allclose(kept[name], given[name], atol=1e-3)


def test_without_a_network_there_is_nothing_to_refine(world, params):
    write_placeholder(world.paths.predictions, "no network was trained")
    refine_or_explain("labels", world.paths, world.paths.detector, PARAMS, params)
    assert placeholder_reason(world.paths.refined("labels")) == "no network was trained"


def test_without_targets_the_predictions_stay_and_an_alert_says_so(world, params):
    world.train(params)
    labels = reopen(world.paths.labels, LABELS)
    for name in labels:
        joints = labels[name].person(0)["joints_cam_mm"]
        joints[:, :, 0] = np.nan
        labels[name].person(0).write(0, {"joints_cam_mm": joints})
    full = params.model_copy(update={"supervision": "full"})
    refine_or_explain("labels", world.paths, world.paths.detector, PARAMS, full)
    [alert] = placeholder_alerts(world.paths.refined("labels"))
    assert (alert.kind, alert.subject) == ("not_refined", "refinement on labels")
    assert "out-of-fold predictions has a target of the pelvis" in alert.evidence


def test_a_pose_that_cannot_be_refined_stays(world, params, monkeypatch):
    def some_refined(unit, given):
        poses = given.poses + np.array([0, 0, 0.1])
        poses[::2] = np.nan
        return poses

    world.train(params)
    monkeypatch.setattr(refine, "refine_poses", some_refined)
    refine_world(world, params, "truth")
    given, kept = (
        open_store(path, PREDICTIONS)["S2"].person(0)["relative_depth"]
        for path in (world.paths.predictions, world.paths.refined("truth") / "predictions.zarr")
    )
    np.testing.assert_array_equal(kept[::2], given[::2])
    assert (kept[1::2, :, 1:] > given[1::2, :, 1:]).all()


def test_pelvises_without_a_label_teach_nothing(world, params):
    world.train(params)
    labels = reopen(world.paths.labels, LABELS)
    joints = labels["S0"].person(0)["joints_cam_mm"]
    joints[1, :, 0] = np.nan
    labels["S0"].person(0).write(0, {"joints_cam_mm": joints})
    assert refine_world(world, params, "labels")["refine_labels"]["after"]["n_mpjpe_mm"] > 0
