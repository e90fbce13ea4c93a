"""Triangulation of a whole small capture: exact labels, counts of what was rejected, any number of workers."""

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.geometry.align import align
from pipeline.geometry.triangulation.labelling import METHODS, Status, ViewStatus
from pipeline.labels.calibrate import calibrate_capture
from pipeline.labels.triangulate import triangulate_capture
from pipeline.skeleton import LIMB_JOINTS, MIRROR
from pipeline.stores import LABELS, POSES2D, open_store
from tests.labels.params import CALIBRATE, TRIANGULATE
from tests.world.cameras import lens_cameras, ring
from tests.world.detections import observed_walkers, overwrite_poses2d
from tests.world.people import moving


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setenv("EPILINE_WORKERS", "0")


def labels_of(world, changed=None, **changes):
    """Labels by changed parameters of triangulation; `changed` are those of calibration, of known cameras."""
    paths = world.paths
    inputs = (paths.frames, paths.poses2d, paths.rigs)
    calibrate_capture(*inputs, CALIBRATE.model_copy(update={"mode": "known"} | (changed or {})))
    triangulate_capture(*inputs, paths.labels, TRIANGULATE.model_copy(update=changes))
    return open_store(paths.labels, LABELS)


@pytest.mark.parametrize("method", METHODS)
def test_exact_detections_give_exact_labels(tmp_path, method):
    world = observed_walkers(tmp_path, noise_px=0.0)
    truth = world.joints_world_mm
    labels = labels_of(world, method=method)
    R, t = ring(4)
    for name, joints in truth.items():
        group = labels[name].person(0)
        np.testing.assert_allclose(group["joints_world_mm"], joints, atol=0.05)
        np.testing.assert_allclose(
            group["joints_cam_mm"], np.einsum("vij,fnj->fvni", R, joints) + t[:, None], atol=0.05
        )
        assert (group["status"] == Status.VALID).all()
        assert (group["view_status"] == ViewStatus.USED).all()
        assert (group["reprojection_px"] < 0.05).all()
    assert labels.summary.valid == 2 * 25 * 17
    assert labels.summary.rejected == {}
    assert labels["r0"].record.rig.scale == "known"
    assert labels["r0"].record.persons == ["r0"]


def test_noise_and_its_uncertainty(tmp_path):
    world = observed_walkers(tmp_path, noise_px=4.0, n_frames=60, n_recordings=1, area_mm=600, fps=5)
    truth = world.joints_world_mm
    errors = {}
    for method in ("robust", "robust_bones"):
        group = labels_of(world, method=method)["r0"].person(0)
        error = np.linalg.norm(group["joints_world_mm"] - truth["r0"], axis=-1)
        errors[method] = np.sqrt((error**2).mean())
        if method == "robust":
            assert 0.7 < np.sqrt((group["uncertainty_mm"] ** 2).mean()) / errors["robust"] < 1.4
    assert errors["robust_bones"] < 0.95 * errors["robust"]
    assert group["reprojection_px"].mean() == pytest.approx(4, rel=0.4)


def test_self_calibrated_labels_have_the_right_shape(tmp_path):
    world = observed_walkers(tmp_path, noise_px=2.0)
    truth = world.joints_world_mm
    group = labels_of(world, {"mode": "rig"})["r1"].person(0)
    joints = group["joints_world_mm"]
    assert np.linalg.norm(align(joints, truth["r1"]) - truth["r1"], axis=-1).mean() < 15
    assert np.median(joints[:, 10, 2] - joints[:, 0, 2]) > 300  # z is up


def test_outliers_are_found_and_rejections_counted(tmp_path, caplog):
    caplog.set_level("INFO")
    world = observed_walkers(tmp_path, noise_px=0.0, n_recordings=1)
    truth = world.joints_world_mm
    px = reading_px(world)
    px[:, 1, 9] += 150  # one wrong view
    px[:, 0, 5], px[:, 1, 5], px[:, 2, 5] = np.nan, np.nan, np.nan
    px[:, 0, 6] += 150
    px[:, 1, 6] -= 150
    overwrite_poses2d(world, "r0", joints_px=px)
    labels = labels_of(world, min_views=3)
    group = labels["r0"].person(0)
    np.testing.assert_allclose(group["joints_world_mm"][:, 9], truth["r0"][:, 9], atol=1)
    assert (group["view_status"][:, 1, 9] == ViewStatus.OUTLIER).all()
    assert (group["view_status"][:, [0, 2, 3], 9] == ViewStatus.USED).all()
    assert (group["reprojection_px"][:, 1, 9] > 100).all()
    assert np.isnan(group["reprojection_used_px"][:, 1, 9]).all()
    assert (group["reprojection_used_px"][:, [0, 2, 3], 9] < 1).all()
    assert (group["status"][:, 5] == Status.TOO_FEW_VIEWS).all()
    assert np.isnan(group["joints_world_mm"][:, 5:7]).all()
    rejected = labels.summary.rejected
    assert rejected["too_few_views"] == 25
    assert sum(rejected.values()) == 50
    assert labels.summary.rejected_by_recording["r0"] == rejected
    assert labels.summary.valid == 15 * 25
    assert "25 too few views" in caplog.text


def reading_px(world):
    return open_store(world.paths.poses2d, POSES2D)["r0"].person(0)["joints_px"]


def test_doubtful_joints_are_not_used(tmp_path):
    world = observed_walkers(tmp_path, noise_px=0.0, n_recordings=1)
    confidence = np.ones((25, 4, 17))
    confidence[:, :3, 4] = 0.2
    overwrite_poses2d(world, "r0", confidence=confidence)
    assert (labels_of(world)["r0"].person(0)["status"] == Status.VALID).all()
    status = labels_of(world, min_confidence=0.25)["r0"].person(0)["status"]
    assert (status[:, 4] == Status.TOO_FEW_VIEWS).all()
    assert (np.delete(status, 4, 1) == Status.VALID).all()


def test_views_for_evaluation_make_no_labels_but_are_served_if_known(tmp_path):
    world = observed_walkers(tmp_path, noise_px=0.0, n_recordings=1)
    truth = world.joints_world_mm
    px = reading_px(world)
    px[:, 1] += 300  # would spoil every label
    overwrite_poses2d(world, "r0", joints_px=px)

    def hold_out(recording):
        recording.views[1].evaluation_only = True

    world.rewrite(hold_out)
    R, t = ring(4)
    group = labels_of(world, method="weighted")["r0"].person(0)
    np.testing.assert_allclose(group["joints_world_mm"], truth["r0"], atol=0.05)
    np.testing.assert_allclose(group["joints_cam_mm"][:, 1], truth["r0"] @ R[1].T + t[1], atol=0.05)
    assert (group["view_status"][:, 1] == ViewStatus.NO_POSE).all()
    assert np.isnan(labels_of(world, {"mode": "rig"})["r0"].person(0)["joints_cam_mm"][:, 1]).all()


def test_frames_without_a_rig_have_no_labels(tmp_path):
    world = observed_walkers(tmp_path, n_recordings=1, n_frames=4, noise_px=0.0)
    confidence = np.ones((4, 4, 17))
    confidence[2, 1:] = 0.2
    overwrite_poses2d(world, "r0", confidence=confidence)
    status = labels_of(world, {"mode": "frame"})["r0"].person(0)["status"]
    assert (status[2] == Status.NO_RIG).all()
    assert (status[[0, 1, 3]] == Status.VALID).all()


def test_nothing_left_is_the_users_error(tmp_path):
    world = observed_walkers(tmp_path, n_recordings=1)
    with pytest.raises(UserError, match="No joint could be triangulated: 425 too few views"):
        labels_of(world, min_views=5)
    assert not world.paths.labels.exists()


def test_any_number_of_workers_makes_the_same_labels(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.stores.store.FRAMES_PER_SHARD", 256)
    world = observed_walkers(tmp_path, n_recordings=2, n_frames=300)
    here = labels_of(world)
    before = {name: here["r1"][name] for name in ("joints_world_mm", "view_status", "uncertainty_mm")}
    monkeypatch.setenv("EPILINE_WORKERS", "2")
    paths = world.paths
    triangulate_capture(paths.frames, paths.poses2d, paths.rigs, paths.labels, TRIANGULATE)
    there = open_store(paths.labels, LABELS)
    for name, values in before.items():
        np.testing.assert_array_equal(there["r1"][name], values)


def test_sides_swapped_by_the_detector_are_corrected_and_counted(tmp_path, caplog):
    caplog.set_level("INFO")
    world = observed_walkers(tmp_path, noise_px=1.0, n_recordings=1, n_frames=40)
    truth = world.joints_world_mm
    px = reading_px(world)
    px[::4, 1] = px[::4, 1][:, MIRROR]
    overwrite_poses2d(world, "r0", joints_px=px)
    store = labels_of(world)
    group = store["r0"].person(0)
    assert np.linalg.norm(group["joints_world_mm"] - truth["r0"], axis=-1).max() < 25
    swapped = group["view_status"] == ViewStatus.SWAPPED
    assert swapped[::4, 1][:, LIMB_JOINTS].mean() > 0.9
    assert swapped.sum() == swapped[::4, 1][:, LIMB_JOINTS].sum()
    assert np.nanmax(group["reprojection_used_px"]) < 20
    # Against the raw detections, swapped joints are off by the distance of left and right.
    assert np.nanmedian(group["reprojection_px"][swapped]) > 50
    counts = store.summary.views_by_recording["r0"]
    assert counts["c1"]["swapped"] == swapped[:, 1].sum(0).tolist()
    assert "swapped" not in counts["c0"]
    assert sum(map(sum, counts["c1"].values())) == 40 * 17
    assert "left and right swapped in" in caplog.text
    left = labels_of(world, fix_left_right=False)
    assert "swapped" not in left.summary.views_by_recording["r0"]["c1"]


def test_another_person_in_a_view_is_named_and_left_out(tmp_path):
    world = observed_walkers(tmp_path, noise_px=2.0, n_recordings=2, area_mm=20, fps=5)
    px, other = reading_px(world), np.zeros((25, 4), bool)
    other[6:20, 1] = True
    second = np.stack([camera.project(world.joints_world_mm["r1"] + [500, 400, 0]) for camera in world.cameras], 1)
    overwrite_poses2d(world, "r0", joints_px=np.where(other[..., None, None], second, px))
    store = labels_of(world)
    named = [alert for alert in store.summary.alerts if alert.kind == "several_people"]
    assert [alert.subject for alert in named] == ["r0"]
    assert "c1 56%" in named[0].evidence
    group = store["r0"].person(0)
    status = group["view_status"][6:20, 1]
    assert not np.isin(status, (ViewStatus.USED, ViewStatus.SWAPPED)).any()
    assert (status == ViewStatus.OTHER_PERSON).mean() > 0.8
    error = np.linalg.norm(group["joints_world_mm"] - world.joints_world_mm["r0"], axis=-1)
    assert np.isfinite(error).mean() > 0.9
    assert np.nanmax(error) < 60


def test_sides_of_two_views_are_decided_over_shards_by_any_number_of_workers(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.stores.store.FRAMES_PER_SHARD", 256)
    world = observed_walkers(tmp_path, n_recordings=1, n_frames=300, fps=25)
    # The person at rest of the tests' world bends the arms backwards; mirrored, they bend forwards.
    truth = moving(np.arange(300) / 25, 0) * [1, -1, 1]
    px = np.stack([camera.project(truth) for camera in lens_cameras(4)], 1)
    px += np.random.default_rng(5).normal(size=px.shape)
    px[220:280, 1] = px[220:280, 1][:, MIRROR]
    # Opposite cameras would not determine the person; these two are at a right angle.
    px[:, 2:] = np.nan
    overwrite_poses2d(world, "r0", joints_px=px.astype(np.float32))
    here = labels_of(world)["r0"].person(0)
    before = {name: np.asarray(here[name]) for name in ("joints_world_mm", "view_status", "status")}
    swapped = before["view_status"][:, :, LIMB_JOINTS] == ViewStatus.SWAPPED
    assert swapped[220:280, 1].mean() > 0.95
    assert swapped[:220].mean() + swapped[280:].mean() + swapped[220:280, 0].mean() < 0.05
    error = np.linalg.norm(before["joints_world_mm"] - truth, axis=-1)
    assert np.nanmedian(error[220:280]) < 2 * np.nanmedian(error[280:]) < 60
    monkeypatch.setenv("EPILINE_WORKERS", "2")
    there = labels_of(world)["r0"].person(0)
    for name, values in before.items():
        np.testing.assert_array_equal(there[name], values)


def test_what_became_of_each_view_is_said(tmp_path):
    world = observed_walkers(tmp_path, noise_px=0.0, n_recordings=1)
    px, confidence = reading_px(world), np.ones((25, 4, 17))
    px[:, 0, 0] = np.nan
    confidence[:, 1, 7] = 0.05
    px[:, 2, 8:10] += 150
    confidence[:, 2, 8] = 0.3
    px[:, :3, 10] = np.nan
    overwrite_poses2d(world, "r0", joints_px=px, confidence=confidence)
    group = labels_of(world)["r0"].person(0)
    expected = {(0, 0): "UNSEEN", (1, 7): "UNSURE", (2, 8): "OCCLUDED", (2, 9): "OUTLIER", (3, 10): "NO_JOINT"}
    for (view, j), status in expected.items():
        assert (group["view_status"][:, view, j] == ViewStatus[status]).all()
    assert (group["views_used"][:, [0, 7, 8, 9, 10, 11]] == [3, 3, 3, 3, 0, 4]).all()


def test_the_covariance_fits_the_errors(tmp_path):
    world = observed_walkers(tmp_path, noise_px=4.0, n_frames=120, n_recordings=1, area_mm=600, fps=5)
    truth = world.joints_world_mm
    group = labels_of(world)["r0"].person(0)
    error = group["joints_world_mm"] - truth["r0"]
    C = np.empty((120, 17, 3, 3))
    rows, columns = np.triu_indices(3)
    C[..., rows, columns] = C[..., columns, rows] = group["covariance_mm2"]
    # Squared and whitened, errors in three dimensions come to three on average.
    whitened = np.einsum("fji,fjik,fjk->fj", error, np.linalg.inv(C), error)
    assert 0.7 < whitened.mean() / 3 < 1.4
    np.testing.assert_allclose(group["uncertainty_mm"], np.sqrt(np.trace(C, axis1=-2, axis2=-1)), rtol=1e-5)


def test_where_the_world_is_arbitrary_the_uncertainty_is_relative_to_the_recording(tmp_path):
    world = observed_walkers(tmp_path, n_frames=40, n_recordings=1, n_views=3, area_mm=300, fps=5)
    truth, px, rng = world.joints_world_mm["r0"].reshape(-1, 3), world.joints_px("r0"), np.random.default_rng(3)
    # A detector that is wrong in the same way in all frames makes an uncertain rig.
    px += rng.normal(size=(1, *px.shape[1:])) * 5 + rng.normal(size=px.shape)
    overwrite_poses2d(world, "r0", joints_px=px.astype(np.float32))
    group = labels_of(world, {"mode": "rig"})["r0"].person(0)
    moved = align(np.asarray(group["joints_world_mm"], float).reshape(-1, 3), truth)
    assert 0.7 < np.sqrt(((moved - truth) ** 2).sum(-1).mean() / (group["uncertainty_mm"] ** 2).mean()) < 1.3


def test_rigs_of_single_frames_add_their_own_uncertainty(tmp_path):
    world = observed_walkers(tmp_path, noise_px=6.0, n_frames=40, n_recordings=1, area_mm=600, fps=5)
    truth = world.joints_world_mm["r0"]
    group = labels_of(world, {"mode": "frame"})["r0"].person(0)
    moved = align(np.asarray(group["joints_world_mm"], float), truth)
    # 1.11 without it.
    assert 0.8 < np.sqrt(((moved - truth) ** 2).sum(-1).mean() / (group["uncertainty_mm"] ** 2).mean()) < 1.06


def test_lenses_may_be_taken_for_pinholes(tmp_path):
    world = observed_walkers(tmp_path, noise_px=0.0, n_recordings=1)
    truth = world.joints_world_mm
    group = labels_of(world, {"ignore_distortion": True})["r0"].person(0)
    error = np.linalg.norm(group["joints_world_mm"] - truth["r0"], axis=-1)
    assert 1 < np.median(error) < 50
    assert np.median(group["reprojection_px"]) > 0.1


def test_smoothing_is_for_those_who_ask(tmp_path):
    world = observed_walkers(tmp_path, noise_px=3.0, n_recordings=1, n_frames=60)
    steps = {}
    for smoothing_s in (0.0, 1.0):
        joints = labels_of(world, smoothing_s=smoothing_s)["r0"].person(0)["joints_world_mm"]
        steps[smoothing_s] = np.linalg.norm(np.diff(joints, axis=0), axis=-1).mean()
    assert steps[1.0] < 0.5 * steps[0.0]


def test_shards_of_any_size_hold_the_same_labels(tmp_path, monkeypatch):
    world = observed_walkers(tmp_path, n_recordings=1, n_frames=700)
    px = reading_px(world)
    px[::7, 1] = px[::7, 1][:, MIRROR]
    px[::5, 2, 5] += 200
    overwrite_poses2d(world, "r0", joints_px=px)
    whole = labels_of(world, smoothing_s=1.0)
    before = {array.name: whole["r0"][array.name] for array in LABELS.arrays}
    summary = whole.summary
    monkeypatch.setattr("pipeline.stores.store.FRAMES_PER_SHARD", 256)
    parts = labels_of(world, smoothing_s=1.0)
    assert len(parts["r0"].shards()) == 3
    for name, values in before.items():
        np.testing.assert_array_equal(parts["r0"][name], values, err_msg=name)
    assert parts.summary == summary
