"""Extrinsics that contradict the people: exchanged videos, units, cameras that moved; what is right stays accepted."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.errors import UserError
from pipeline.labels.calibrate import calibrate_capture
from pipeline.stores import POSES2D, RIGS, open_store, reopen
from tests.labels.params import CALIBRATE
from tests.world.detections import observed_walkers

ARRAYS = ("joints_px", "confidence", "box_px")


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setenv("EPILINE_WORKERS", "0")


def calibrate(world, mode):
    paths = world.paths
    calibrate_capture(paths.frames, paths.poses2d, paths.rigs, CALIBRATE.model_copy(update={"mode": mode}))
    return open_store(paths.rigs, RIGS)


def exchange(world, name, i, j):
    group = reopen(world.paths.poses2d, POSES2D)[name].person(0)
    for array in ARRAYS:
        values = group[array][:]
        values[:, [i, j]] = values[:, [j, i]]
        group.write(0, {array: values})


def turn(world, view, degrees):
    Q = Rotation.from_euler("y", degrees, degrees=True).as_matrix()

    def change(recording):
        given = recording.views[view]
        given.R_cam_from_world = (Q @ given.R_cam_from_world).tolist()
        given.t_cam_from_world_mm = (Q @ given.t_cam_from_world_mm).tolist()

    world.rewrite(change)


def scale(world, factor):
    def change(recording):
        for view in recording.views:
            view.t_cam_from_world_mm = [factor * x for x in view.t_cam_from_world_mm]

    world.rewrite(change)


@pytest.mark.parametrize("mode", ["known", "adjust"])
def test_right_cameras_raise_no_alert(tmp_path, mode):
    rigs = calibrate(observed_walkers(tmp_path, noise_px=4.0), mode)
    assert list(rigs) == ["r0", "r1"]
    assert rigs.summary.alerts == []


@pytest.mark.parametrize("mode", ["known", "adjust"])
@pytest.mark.parametrize("for_evaluation", [(), (2, 3)])
def test_exchanged_videos_are_named(tmp_path, mode, for_evaluation):
    world = observed_walkers(tmp_path, n_recordings=1, noise_px=4.0)

    def hold_out(recording):
        for view in for_evaluation:
            recording.views[view].evaluation_only = True

    world.rewrite(hold_out)
    exchange(world, "r0", 0, 1)
    with pytest.raises(UserError, match=r"exchanged: the video of c1 fits the camera c0.*Rename.*c1 -> c0, c0 -> c1"):
        calibrate(world, mode)


def test_one_recording_with_exchanged_videos_does_not_spoil_the_other(tmp_path):
    world = observed_walkers(tmp_path, noise_px=4.0)
    exchange(world, "r1", 1, 3)
    rigs = calibrate(world, "known")
    assert list(rigs) == ["r0"]
    assert "the video of c3 fits the camera c1" in rigs.summary.rejected["r1"]
    assert [alert.kind for alert in rigs.summary.alerts] == ["exchanged_views"]


@pytest.mark.parametrize("mode", ["known", "adjust"])
@pytest.mark.parametrize(
    ("factor", "mend"), [(1000 / 80, r"by 0.0\d+: .* squares of a board"), (100, "centimetres"), (0.001, "metres")]
)
def test_another_unit_is_refused_with_the_factor(tmp_path, mode, factor, mend):
    world = observed_walkers(tmp_path, n_recordings=1)
    scale(world, factor)
    with pytest.raises(UserError, match=rf"times the size of a mean adult.*Multiply the translations .*{mend}"):
        calibrate(world, mode)


@pytest.mark.parametrize("mode", ["known", "adjust"])
def test_a_child_is_a_note(tmp_path, mode):
    world = observed_walkers(tmp_path, n_recordings=1)
    scale(world, 0.75)
    [alert] = calibrate(world, mode).summary.alerts
    assert (alert.kind, alert.severity) == ("unusual_size", "note")


@pytest.mark.parametrize(("n_views", "degrees"), [(4, 5), (4, 40), (5, 20)])
def test_a_camera_that_contradicts_the_others_is_left_out(tmp_path, n_views, degrees):
    world = observed_walkers(tmp_path, n_recordings=1, n_views=n_views, noise_px=4.0)
    turn(world, 2, degrees)
    rigs = calibrate(world, "known")
    assert rigs["r0"].record.views_left_out == ["c2"]
    [alert] = rigs.summary.alerts
    assert (alert.kind, alert.severity, alert.subject) == ("view_contradicts", "error", "r0, c2")


def test_cameras_that_all_contradict_the_people_are_refused(tmp_path):
    world = observed_walkers(tmp_path, n_recordings=1, n_views=3)
    for view, degrees in ((0, 25), (1, -20), (2, 15)):
        turn(world, view, degrees)
    with pytest.raises(UserError, match="the people contradict the cameras: c0 by "):
        calibrate(world, "known")


def test_a_large_adjustment_is_refused_and_a_small_one_is_an_alert(tmp_path):
    world = observed_walkers(tmp_path, n_recordings=1, n_frames=50)
    turn(world, 1, 4)
    rigs = calibrate(world, "adjust")
    assert [(alert.kind, alert.severity) for alert in rigs.summary.alerts] == [("camera_moved", "warning")]
    turn(world, 1, 36)
    with pytest.raises(UserError, match=r"turned a camera by \d+ deg|contradict"):
        calibrate(world, "adjust")


def test_slightly_wrong_cameras_are_a_note(tmp_path):
    world = observed_walkers(tmp_path, n_recordings=1, noise_px=4.0)
    for view in range(4):
        turn(world, view, 0.5 * (-1) ** view)
    [alert] = calibrate(world, "known").summary.alerts
    assert (alert.kind, alert.severity) == ("given_cameras_rough", "note")
    assert np.isfinite(open_store(world.paths.rigs, RIGS)["r0"].record.noise_share)
