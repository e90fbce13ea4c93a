"""2D poses from the truth: where they are, and errors of the stated size."""

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.labels.poses2d import true_poses
from pipeline.labels.poses2d.true_poses import add_errors, project_truth
from pipeline.stores import POSES2D, TRUTH, create_store, open_store
from tests.detectors.params import GT2D
from tests.world.capture import walkers
from tests.world.records import TRUTH_SUMMARY, truth_record


@pytest.fixture
def world(tmp_path):
    world = walkers(tmp_path, n_recordings=2, n_frames=7)
    write_truth(world)
    return world


def write_truth(world, summary=TRUTH_SUMMARY):
    with create_store(world.paths.truth, TRUTH, summary) as store:
        for recording in world.capture.recordings:
            own = world.joints_world_mm[recording.name]
            group = store.create(recording.name, {"frame": len(own)}, truth_record(recording.subject)).person(0)
            group.write(0, {"joints_world_mm": own})


def run(world, **errors):
    project_truth(world.paths.frames, world.paths.poses2d, GT2D.model_copy(update=errors))
    return open_store(world.paths.poses2d, POSES2D)


def test_without_errors_they_are_the_projected_truth(world, monkeypatch):
    monkeypatch.setattr(true_poses, "FRAMES_PER_BLOCK", 3)
    store = run(world)
    for recording in world.capture.recordings:
        group, px = store[recording.name].person(0), world.joints_px(recording.name)
        np.testing.assert_allclose(group["joints_px"], px, rtol=1e-6)
        assert (group["confidence"] == 1).all()
        np.testing.assert_allclose(group["box_px"], np.concatenate([px.min(2), px.max(2)], -1), rtol=1e-6)
        assert group["landmarks_px"].shape[2] == 0
        assert store[recording.name].record.found == {view.name: 7 for view in recording.views}
    assert store.summary.detector == {"name": "gt2d", "noise": "0.0", "outliers": "0.0", "missing": "0.0", "seed": "5"}


def test_joints_without_truth_and_behind_a_camera_are_missing(world):
    joints = world.joints_world_mm["r0"]
    joints[1] = np.nan
    camera = world.cameras[0]
    joints[2, 3] = camera.center_world_mm - 500 * camera.R_cam_from_world[2]
    write_truth(world)
    store = run(world)
    group = store["r0"].person(0)
    assert np.isnan(group["joints_px"][1]).all()
    assert np.isnan(group["joints_px"][2, 0, 3]).all()
    assert group["confidence"][2, 0, 3] == 0
    assert np.isfinite(group["joints_px"][2, 1:, 3]).all()
    assert set(store["r0"].record.found.values()) == {6}


def test_equal_seeds_give_equal_errors_and_recordings_differ(world):
    first, again, other = (run(world, noise=0.02, seed=seed)["r0"].person(0)["joints_px"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()
    errors = [run(world, noise=0.02)[name].person(0)["joints_px"] - world.joints_px(name) for name in ("r0", "r1")]
    assert np.abs(np.corrcoef(errors[0].ravel(), errors[1].ravel())[0, 1]) < 0.1


def test_errors_have_the_stated_size_and_share():
    px = np.zeros((2000, 2, 17, 2))
    px[..., 0, 1], px[:, 1, 0, 1] = 100, 300  # heights of 100 and 300 px
    rng = np.random.default_rng(0)
    noisy = add_errors(px, GT2D.model_copy(update={"noise": 0.02}), rng)["joints_px"] - px
    np.testing.assert_allclose(noisy.std((0, 2)), [[2, 2], [6, 6]], rtol=0.02)
    params = GT2D.model_copy(update={"outliers": 0.1, "missing": 0.2})
    found = add_errors(px, params, rng)
    missing = np.isnan(found["joints_px"][..., 0])
    distance = np.linalg.norm(found["joints_px"] - px, axis=-1)
    far = distance[:, 0][~missing[:, 0]] > 0
    assert abs(missing.mean() - 0.2) < 0.01
    assert abs(far.mean() - 0.1) < 0.01
    assert distance[:, 0][distance[:, 0] > 0].min() >= 10
    assert np.nanmax(distance[:, 0]) <= 50
    is_outlier = np.nan_to_num(distance) > 0
    assert found["confidence"][is_outlier].max() < 0.7 < found["confidence"][~is_outlier & ~missing].min()
    assert (found["confidence"][missing] == 0).all()


def test_footage_without_truth_or_extrinsics_is_refused(tmp_path, world):
    with pytest.raises(UserError, match="needs truth, which the footage does not have"):
        run(walkers(tmp_path / "none"))
    write_truth(world, TRUTH_SUMMARY.model_copy(update={"is_aligned": True}))
    with pytest.raises(UserError, match="needs truth in the world of the extrinsics"):
        run(world)
    write_truth(world)

    def forget(recording):
        recording.views[1].R_cam_from_world = recording.views[1].t_cam_from_world_mm = None

    world.rewrite(forget)
    with pytest.raises(UserError, match=r"needs extrinsics, which c1 does not have \(r0\)"):
        run(world)
