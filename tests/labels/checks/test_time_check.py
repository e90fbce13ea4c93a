"""Views that do not run in step: what becomes of them and of their recordings."""

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.labels.calibrate import calibrate_capture
from pipeline.labels.checks.time_check import check_times
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
    return check_times(world.capture.recordings[0], world.paths.poses2d, CALIBRATE)


def calibrated(world, **changes):
    paths, params = world.paths, CALIBRATE.model_copy(update=changes)
    calibrate_capture(paths.frames, paths.poses2d, paths.rigs, params)
    return open_store(paths.rigs, RIGS)


@pytest.mark.parametrize(("lag", "direction", "trimmed"), [(8, "late", "c3"), (-8, "early", "all other views")])
def test_a_late_view_is_named_with_the_mend(tmp_path, lag, direction, trimmed):
    result = check(filmed(tmp_path, [0, 0, 0, lag]))
    assert result.left_out == {"c3"}
    assert result.reason is None
    [alert] = result.alerts
    assert (alert.kind, alert.severity, alert.subject) == ("late_camera", "warning", "r0, c3")
    assert "8.0 +- 0.1 frames (0.3" in alert.message
    assert direction in alert.message
    assert alert.mend == f"Trim 8 frames from the start of {trimmed}, or synchronise the cameras."


def test_a_small_offset_is_a_note_and_the_view_is_used(tmp_path):
    result = check(filmed(tmp_path, [0, 0, 0.4]))
    assert result.left_out == frozenset()
    assert {alert.severity for alert in result.alerts} <= {"note", "warning"}
    assert any(alert.subject == "r0, c2" for alert in result.alerts)


def test_views_in_step_raise_no_alert(tmp_path):
    assert check(filmed(tmp_path, [0, 0, 0])).alerts == ()


@pytest.mark.parametrize("mode", ["rig", "adjust", "known", "window"])
def test_labels_come_from_the_views_in_step(tmp_path, mode):
    world = filmed(tmp_path, [0, 0, 8, 0])
    rigs = calibrated(world, mode=mode)
    assert np.isnan(rigs["r0"]["t_cam_from_world_mm"]).all(-1).all(0).tolist() == [False, False, True, False]
    assert rigs["r0"].record.views_left_out == ["c2"]
    assert "late_camera" in {alert.kind for alert in rigs.summary.alerts}
    assert "camera_moved" not in {alert.kind for alert in rigs.summary.alerts}
    if mode == "known":
        paths = world.paths
        triangulate_capture(paths.frames, paths.poses2d, paths.rigs, paths.labels, TRIANGULATE)
        joints = open_store(paths.labels, LABELS)["r0"].person(0)["joints_world_mm"]
        error = np.linalg.norm(joints - world.joints_world_mm["r0"], axis=-1)
        assert np.nanmedian(error) < 12


def test_a_view_is_left_out_of_one_recording_of_a_pool(tmp_path):
    rigs = calibrated(filmed(tmp_path, [0, 0, 8, 0], n_recordings=2))
    left_out = {name: np.isnan(rigs[name]["t_cam_from_world_mm"][0, :, 0]).tolist() for name in ("r0", "r1")}
    assert left_out == {"r0": [False, False, True, False], "r1": [False] * 4}
    np.testing.assert_array_equal(rigs["r0"]["R_cam_from_world"][0, 0], rigs["r1"]["R_cam_from_world"][0, 0])
    assert rigs["r1"].record.views_left_out == []


def test_two_views_that_do_not_run_in_step_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"do not run in step: r0, c.: the view shows everything 8.0 "):
        calibrated(filmed(tmp_path, [0, 8]))


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
