"""Frames on their own: a whole recording from detections to rigs."""

import numpy as np
import pytest

from pipeline.capture import read_capture
from pipeline.geometry.align import rig_error
from pipeline.labels.calibrate import calibrate_capture
from pipeline.labels.rig_result import Refused
from pipeline.labels.single_frame_rigs import joined_frames
from pipeline.params.calibrate import BaselineParams
from pipeline.skeleton import MIRROR
from pipeline.stores import POSES2D, RIGS, open_store
from tests.labels.params import CALIBRATE
from tests.world.cameras import centers_of, ring
from tests.world.detections import observed_walkers, overwrite_poses2d

N_FRAMES = 14


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setenv("EPILINE_WORKERS", "0")


def calibrate(world, **changes):
    params = CALIBRATE.model_copy(update={"mode": "frame"} | changes)
    calibrate_capture(world.paths.frames, world.paths.poses2d, world.paths.rigs, params)
    return open_store(world.paths.rigs, RIGS)


def errors_deg(group):
    R, t = group["R_cam_from_world"], group["t_cam_from_world_mm"]
    R_true, t_true = ring(4)
    found = [f for f in range(len(t)) if np.isfinite(t[f]).any()]
    return np.array([rig_error(R[f], centers_of(R[f], t[f]), R_true, centers_of(R_true, t_true))[0] for f in found])


def test_landmarks_calibrate_the_frames(tmp_path):
    joints = calibrate(observed_walkers(tmp_path / "a", n_recordings=1, n_frames=N_FRAMES, noise_px=6.0))["r0"]
    world = observed_walkers(tmp_path / "b", n_recordings=1, n_frames=N_FRAMES, noise_px=6.0, landmarks=True)
    landmarks = calibrate(world)["r0"]
    assert errors_deg(landmarks).mean() < 0.5 * errors_deg(joints).mean()


def test_all_frames_have_one_scale_and_the_vertical_of_the_people(tmp_path):
    group = calibrate(observed_walkers(tmp_path, n_recordings=1, n_frames=N_FRAMES, noise_px=2.0))["r0"]
    centers = centers_of(group["R_cam_from_world"], group["t_cam_from_world_mm"])
    size = np.linalg.norm(centers - centers.mean(1, keepdims=True), axis=-1).mean(1)
    assert size.std() / size.mean() < 0.03
    assert group.record.gravity == "people"
    up = -group["R_cam_from_world"][..., 1, 2]  # the cameras stand upright: y is down
    assert (up > 0.9).all()


def test_a_baseline_holds_in_every_frame(tmp_path):
    world = observed_walkers(tmp_path, n_recordings=1, n_frames=4, noise_px=3.0)
    group = calibrate(world, scale="baseline", baseline=BaselineParams(cameras=["c1", "c2"], mm=5000.0))["r0"]
    centers = centers_of(group["R_cam_from_world"], group["t_cam_from_world_mm"])
    np.testing.assert_allclose(np.linalg.norm(centers[:, 1] - centers[:, 2], axis=-1), 5000, rtol=1e-4)


def test_a_view_with_swapped_sides_is_left_out_and_an_alert(tmp_path):
    world = observed_walkers(tmp_path, n_recordings=1, n_frames=N_FRAMES, noise_px=2.0)
    px = open_store(world.paths.poses2d, POSES2D)["r0"].person(0).rows("joints_px", 0, N_FRAMES)
    px[5, 2] = px[5, 2][MIRROR]
    overwrite_poses2d(world, "r0", joints_px=px)
    rigs = calibrate(world)
    known = np.isfinite(rigs["r0"]["t_cam_from_world_mm"]).all(-1)
    assert known[5].tolist() == [True, True, False, True]
    assert np.delete(known, 5, axis=0).all()
    [alert] = [one for one in rigs.summary.alerts if one.kind == "contradicting_views"]
    assert (alert.severity, alert.evidence) == ("note", f"in 1 of {N_FRAMES} frames")


def test_frames_that_determine_their_cameras_poorly_are_an_alert(tmp_path):
    rigs = calibrate(observed_walkers(tmp_path, n_recordings=1, n_frames=N_FRAMES, noise_px=25.0))
    [alert] = [one for one in rigs.summary.alerts if one.kind == "poor_rig"]
    assert alert.severity == "warning"


def test_a_recording_without_frames_is_refused(tmp_path):
    world = observed_walkers(tmp_path, n_recordings=1, n_frames=2)
    [recording] = read_capture(world.paths.frames).recordings
    result = joined_frames(recording, [], CALIBRATE)
    assert isinstance(result, Refused)
    assert result.reason == "it has no frames"
