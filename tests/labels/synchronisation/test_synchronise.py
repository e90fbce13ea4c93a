"""Views that do not run in step: they are corrected, or left out."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from pipeline.geometry.view_time import ViewTime
from pipeline.labels.calibrate import calibrate_capture
from pipeline.labels.synchronisation.synchronise import synchronise
from pipeline.labels.triangulate import triangulate_capture
from pipeline.stores import LABELS, RIGS, open_store
from tests.labels.params import CALIBRATE, TRIANGULATE
from tests.world.detections import observed_walkers, overwrite_poses2d
from tests.world.people import moving

FRAMES = 100


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setenv("EPILINE_WORKERS", "0")


def filmed(tmp_path, lags, n_recordings=1):
    """A capture whose first recording is of a person in motion, seen by each view some frames late."""
    world = observed_walkers(tmp_path, n_recordings=n_recordings, n_frames=FRAMES, n_views=len(lags), fps=25.0)
    times = np.arange(FRAMES) / 25
    px = np.stack(
        [camera.project(moving(times - lag / 25, 1)) for camera, lag in zip(world.cameras, lags, strict=True)], 1
    )
    px += np.random.default_rng(1).normal(size=px.shape) * 2
    box = np.concatenate([px.min(2), px.max(2)], -1)
    overwrite_poses2d(world, "r0", joints_px=px, box_px=box)
    world.joints_world_mm["r0"] = moving(times, 1)
    return world


def check(world):
    return synchronise(world.capture.recordings[0], world.paths.poses2d, CALIBRATE)


def labels_of(world):
    paths = world.paths
    triangulate_capture(paths.frames, paths.poses2d, paths.rigs, paths.labels, TRIANGULATE)
    return open_store(paths.labels, LABELS)["r0"].person(0)


def calibrated(world, **changes):
    paths, params = world.paths, CALIBRATE.model_copy(update=changes)
    calibrate_capture(paths.frames, paths.poses2d, paths.rigs, params)
    return open_store(paths.rigs, RIGS)


def test_where_cameras_may_move_offsets_are_a_doubt_and_nothing_is_changed(tmp_path):
    world = filmed(tmp_path, [0, 0, 0, 8])
    recording, params = world.capture.recordings[0], CALIBRATE.model_copy(update={"mode": "window"})
    result = synchronise(recording, world.paths.poses2d, params)
    assert (result.left_out, result.reason) == (frozenset(), None)
    assert all(time.offsets == [0.0] for time in result.times)
    [alert] = result.alerts
    assert (alert.kind, alert.severity, alert.subject) == ("late_camera", "warning", "r0, c3")
    assert "if the cameras stood still, the view would show everything 8.0" in alert.message


@pytest.mark.parametrize("seed", [1, 4])
def test_moving_cameras_that_run_in_step_are_all_used(tmp_path, seed):
    world = filmed(tmp_path, [0, 0, 0, 0])
    rng = np.random.default_rng(seed)
    turns = gaussian_filter1d(rng.normal(size=(FRAMES, 4, 3)), 15, axis=0)
    turns *= np.radians(2.0) / turns.std(0)
    px = np.stack([
        [camera.with_extrinsics(Rotation.from_rotvec(turn).as_matrix() @ camera.R_cam_from_world,
                                Rotation.from_rotvec(turn).apply(camera.t_cam_from_world_mm)).project(joints)
         for camera, turn in zip(world.cameras, own, strict=True)]
        for joints, own in zip(world.joints_world_mm["r0"], turns, strict=True)
    ])  # fmt: skip
    px += rng.normal(size=px.shape) * 2
    overwrite_poses2d(world, "r0", joints_px=px, box_px=np.concatenate([px.min(2), px.max(2)], -1))
    rigs = calibrated(world, mode="window", window_frames=20)
    assert not rigs.summary.rejected
    assert rigs["r0"].record.views_left_out == []
    assert all(time.offsets == [0.0] for time in rigs["r0"].record.times)


@pytest.mark.parametrize(("lag", "direction"), [(8.0, "late"), (-8.5, "early")])
def test_a_late_view_is_corrected_and_named(tmp_path, lag, direction):
    result = check(filmed(tmp_path, [0, 0, 0, lag]))
    assert (result.left_out, result.reason) == (frozenset(), None)
    assert [time.offsets for time in result.times[:3]] == [[0.0]] * 3
    assert result.times[3].std is not None
    assert result.times[3].offsets[0] == pytest.approx(lag, abs=3 * result.times[3].std)
    [alert] = result.alerts
    assert (alert.kind, alert.severity, alert.subject) == ("camera_synchronised", "warning", "r0, c3")
    assert f"the view shows everything {abs(result.times[3].offsets[0]):.1f} +- 0.1 frames (0.3" in alert.message
    assert f"{direction}; its times were corrected" in alert.message


def test_a_small_offset_is_a_note(tmp_path):
    result = check(filmed(tmp_path, [0, 0, 0.4]))
    assert result.left_out == frozenset()
    assert {alert.severity for alert in result.alerts} <= {"note", "warning"}
    assert any(alert.subject == "r0, c2" for alert in result.alerts)


def test_views_in_step_raise_no_alert_and_are_not_changed(tmp_path):
    result = check(filmed(tmp_path, [0, 0, 0]))
    assert result.alerts == ()
    assert all(time.time == ViewTime() for time in result.times)


def test_cameras_that_all_start_on_their_own_are_brought_to_the_time_of_the_first(tmp_path):
    lags = np.array([4.0, -3.5, 11.25])
    result = check(filmed(tmp_path, lags))
    found = np.array([time.offsets[0] for time in result.times])
    np.testing.assert_allclose(found, lags - lags[0], atol=0.3)
    assert found[0] == 0


@pytest.mark.parametrize("mode", ["rig", "adjust", "known"])
def test_labels_come_from_all_views(tmp_path, mode):
    world = filmed(tmp_path, [0, 0, 8, 0])
    rigs = calibrated(world, mode=mode)
    record = rigs["r0"].record
    assert record.views_left_out == []
    assert [round(time.offsets[0]) for time in record.times] == [0, 0, 8, 0]
    assert "camera_synchronised" in {alert.kind for alert in rigs.summary.alerts}
    assert "camera_moved" not in {alert.kind for alert in rigs.summary.alerts}
    if mode == "known":
        joints, truth = labels_of(world)["joints_world_mm"], world.joints_world_mm["r0"]
        assert np.nanmedian(np.linalg.norm(joints - truth, axis=-1)) < 12


def test_labels_in_a_camera_are_at_the_times_of_its_own_frames(tmp_path):
    world = filmed(tmp_path, [0, 0, 7.5, 0])
    calibrated(world, mode="known")
    labels, camera = labels_of(world), world.cameras[2]
    own = moving((np.arange(FRAMES) - 7.5) / 25, 1)
    error = np.linalg.norm(labels["joints_cam_mm"][:, 2] - camera.to_camera(own), axis=-1)
    assert np.isnan(error[:7]).all()  # the views in step had not begun
    assert np.nanmedian(error[8:]) < 12
    assert np.nanmedian(labels["reprojection_px"][8:, 2]) < 6


def test_a_view_is_corrected_in_one_recording_of_a_pool(tmp_path):
    rigs = calibrated(filmed(tmp_path, [0, 0, 8, 0], n_recordings=2))
    offsets = {name: [round(time.offsets[0]) for time in rigs[name].record.times] for name in ("r0", "r1")}
    assert offsets == {"r0": [0, 0, 8, 0], "r1": [0] * 4}
    np.testing.assert_array_equal(rigs["r0"]["R_cam_from_world"][0], rigs["r1"]["R_cam_from_world"][0])


def test_two_views_are_corrected(tmp_path):
    rigs = calibrated(filmed(tmp_path, [0, 8]))
    assert [round(time.offsets[0]) for time in rigs["r0"].record.times] == [0, 8]


def with_a_jump(tmp_path, lags):
    """Views that are late by some frames in the middle third of the recording only."""
    world = observed_walkers(tmp_path, n_recordings=1, n_frames=180, n_views=len(lags), fps=25.0)
    frames = np.arange(180)
    is_middle = (frames >= 60) & (frames < 120)
    px = np.stack(
        [
            camera.project(moving((frames - lag * is_middle) / 25, 1))
            for camera, lag in zip(world.cameras, lags, strict=True)
        ],
        1,
    )
    px += np.random.default_rng(1).normal(size=px.shape) * 2
    overwrite_poses2d(world, "r0", joints_px=px, box_px=np.concatenate([px.min(2), px.max(2)], -1))
    return world


def test_a_view_that_runs_out_of_step_for_a_while_is_left_out(tmp_path):
    result = check(with_a_jump(tmp_path, [0, 4, 0]))
    assert result.left_out == {"c1"}
    assert result.reason is None
    assert "dropped_frames" in {alert.kind for alert in result.alerts if alert.severity == "warning"}


def test_two_views_that_run_out_of_step_for_a_while_are_refused(tmp_path):
    result = check(with_a_jump(tmp_path, [0, 4]))
    assert "do not run in step" in result.reason
    assert {alert.severity for alert in result.alerts} == {"error"}
