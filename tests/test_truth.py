"""The truth as its cameras see it: in the world of the given cameras, or in a world of its own, by the labels."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.stores import LABELS, TRUTH, create_store, reopen
from pipeline.truth import fit_alignment, open_truth
from tests.world.capture import turning_people
from tests.world.labels import write_labels
from tests.world.people import moving
from tests.world.records import TRUTH_SUMMARY, truth_record
from tests.world.rigs import write_rigs

R_TRUE = Rotation.from_rotvec([0.3, -1.2, 2.0]).as_matrix()
T_TRUE = np.array([3000.0, -500, 20_000])


def opened(world):
    return open_truth(world.paths.truth, world.paths.labels, world.paths.rigs)


def write_own_world(world, joints_of):
    """The truth of every recording in a world of its own."""
    with create_store(world.paths.truth, TRUTH, TRUTH_SUMMARY.model_copy(update={"is_aligned": True})) as store:
        for name, joints in world.joints_world_mm.items():
            own = joints_of(joints)
            store.create(name, {"frame": len(own)}, truth_record()).person(0).write(0, {"joints_world_mm": own})


@pytest.fixture
def world(tmp_path):
    """Labels and a rig of 1.2 times the true size, and true joints in a world of their own."""
    world = turning_people(tmp_path, extrinsics=False)
    write_labels(world, scale=1.2, wrist_mm=0.0)
    write_rigs(world, scale=1.2)
    write_own_world(world, lambda joints: joints @ R_TRUE.T + T_TRUE)
    return world


def test_truth_in_the_world_of_the_given_cameras_is_seen_by_them(tmp_path):
    world = turning_people(tmp_path)
    truth, recording = opened(world), world.capture.recordings[0]  # there are no labels yet
    joints = truth.joints_world_mm(recording)
    cameras = truth.cameras(recording)
    assert not truth.is_aligned
    assert truth.alignment(recording) is None
    assert cameras.has_pose.all()
    np.testing.assert_allclose(cameras.to_cameras(joints), world.joints_cam_mm(recording.name), atol=1e-3)
    np.testing.assert_allclose(cameras.project(joints), world.joints_px(recording.name), atol=1e-3)


def test_without_extrinsics_no_camera_sees_it(tmp_path):
    world = turning_people(tmp_path, extrinsics=False)
    truth, recording = opened(world), world.capture.recordings[0]
    assert not truth.cameras(recording).has_pose.any()
    assert np.isnan(truth.cameras(recording).to_cameras(truth.joints_world_mm(recording))).all()


def test_without_a_store_there_is_none(tmp_path):
    assert opened(turning_people(tmp_path, truth=False)) is None


def test_truth_with_a_world_of_its_own_is_placed_by_the_labels_at_its_true_size(world):
    truth, recording = opened(world), world.capture.recordings[0]
    alignment = truth.alignment(recording)
    assert alignment.scale == pytest.approx(1.2, abs=1e-6)
    assert alignment.rms_mm < 0.01
    cameras = truth.cameras(recording)
    assert cameras.has_pose.tolist() == [True, True, True, False]  # the last view was not calibrated
    seen = cameras.to_cameras(truth.joints_world_mm(recording))
    np.testing.assert_allclose(seen[:, :3], world.joints_cam_mm(recording.name)[:, :3], atol=0.05)
    assert np.isnan(seen[:, 3]).all()
    px = cameras.project(truth.joints_world_mm(recording))
    np.testing.assert_allclose(px[:, :3], world.joints_px(recording.name)[:, :3], atol=0.01)


def test_frames_with_rigs_of_their_own_see_it_by_these(world):
    write_rigs(world, scale=1.2, per_frame=True)
    truth, recording = opened(world), world.capture.recordings[0]
    cameras, joints = truth.cameras(recording), truth.joints_world_mm(recording)
    seen, n = cameras.to_cameras(joints), len(joints)
    has_rig = np.arange(n) > n // 2
    np.testing.assert_array_equal(np.isfinite(seen[:, 0]).all((1, 2)), has_rig)
    true = world.joints_cam_mm(recording.name)
    np.testing.assert_allclose(seen[has_rig][:, :3], true[has_rig][:, :3], atol=0.05)
    np.testing.assert_array_equal(cameras.to_cameras(joints[15:20], 15), seen[15:20])


def test_recordings_without_labels_are_not_seen(world):
    recording = world.capture.recordings[1]
    labels = reopen(world.paths.labels, LABELS)
    labels[recording.name].write(0, {"joints_world_mm": np.full((24, 1, 17, 3), np.nan)})
    truth = opened(world)
    assert recording in truth
    assert truth.alignment(recording) is None
    assert not truth.cameras(recording).has_pose.any()


def test_neither_noise_nor_outliers_bias_the_alignment():
    rng = np.random.default_rng(0)
    true = moving(np.arange(0, 20, 0.04), 0)
    labels = 0.9 * (true @ R_TRUE.T) + T_TRUE + rng.normal(scale=20, size=true.shape)
    labels[100:200] += [400, 0, 0]  # another person for a fifth of the recording
    true[rng.random(true.shape[:2]) < 0.2] = np.nan
    found = fit_alignment(true, labels, np.full(labels.shape[:2], 35.0))
    assert found.scale == pytest.approx(0.9, abs=2e-3)
    angle = Rotation.from_matrix(found.R @ R_TRUE.T).magnitude()
    assert np.degrees(angle) < 0.2
    np.testing.assert_allclose(found.t, T_TRUE, atol=10)


def test_certain_labels_count_more():
    rng = np.random.default_rng(0)
    true = moving(np.arange(0, 4, 0.04), 0)
    uncertain = np.arange(17) >= 9
    labels = true + np.where(uncertain[:, None], [60.0, 0, 0], 0) + rng.normal(scale=5, size=true.shape)
    equal = fit_alignment(true, labels, np.full(labels.shape[:2], 20.0))
    told = fit_alignment(true, labels, np.broadcast_to(np.where(uncertain, 200.0, 5.0), labels.shape[:2]))
    assert abs((told.scale * told.R @ [0, 0, 1000] + told.t)[0]) < abs((equal.R @ [0, 0, 1000] + equal.t)[0]) / 3


def test_too_few_labels_have_no_alignment():
    true = moving(np.arange(5) / 25, 0)
    assert fit_alignment(true, true, np.ones((5, 17))) is None
    assert fit_alignment(true, np.full_like(true, np.nan), np.ones((5, 17))) is None
