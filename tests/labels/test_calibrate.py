"""Calibration of a whole small capture, in every mode, and what becomes of captures that cannot be calibrated."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.spatial.transform import Rotation

from pipeline.alerts import Alert
from pipeline.capture import read_capture
from pipeline.errors import UserError
from pipeline.geometry.align import align, rig_error
from pipeline.geometry.body.scale import bone_scale
from pipeline.labels.calibrate import calibrate_capture, with_alerts_of_motion
from pipeline.labels.rig_result import CalibrationResult
from pipeline.labels.triangulate import triangulate_capture
from pipeline.params.calibrate import BaselineParams, CalibrateParams
from pipeline.stores import LABELS, RIGS, open_store
from tests.labels.params import CALIBRATE, TRIANGULATE
from tests.world.cameras import K, centers_of, ring
from tests.world.detections import observed_walkers, overwrite_poses2d

BASELINE = BaselineParams(cameras=["c1", "c2"], mm=5000.0)


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setenv("EPILINE_WORKERS", "0")


def calibrate(world, **changes):
    paths, params = world.paths, CALIBRATE.model_copy(update=changes)
    calibrate_capture(paths.frames, paths.poses2d, paths.rigs, params)
    return open_store(paths.rigs, RIGS)


def poses(group):
    return group["R_cam_from_world"], group["t_cam_from_world_mm"]


@pytest.mark.parametrize(
    ("mode", "severity", "words"),
    [("rig", "warning", "second half"), ("adjust", "warning", "given extrinsics"), ("window", "note", "during")],
)
def test_cameras_that_rotated_are_an_alert(mode, severity, words):
    fields = {"mode": mode, "moved_deg": 4.2, "failed_frames": {}}
    arrays = {"rotation_std_deg": np.array([[0.3, np.nan]])}
    [alert] = with_alerts_of_motion("rig A", CalibrationResult(arrays, fields)).alerts
    assert (alert.kind, alert.severity, alert.evidence) == ("camera_moved", severity, "by 4.2 deg")
    assert words in alert.message
    for moved_deg in (0.9, None):
        assert not with_alerts_of_motion("rig A", CalibrationResult(arrays, fields | {"moved_deg": moved_deg})).alerts


def test_a_rotation_that_the_uncertainty_of_the_adjustment_covers_is_no_alert():
    fields = {"mode": "adjust", "moved_deg": 1.6, "failed_frames": {}}
    for std, n_alerts in ((0.9, 0), (0.7, 1)):
        result = CalibrationResult({"rotation_std_deg": np.array([[0.1, std]])}, fields)
        assert len(with_alerts_of_motion("rig A", result).alerts) == n_alerts


def test_a_late_camera_is_not_said_to_have_rotated_too():
    late = Alert(kind="late_camera", severity="warning", subject="rig A", message="cam3 is late")
    fields = {"mode": "rig", "moved_deg": 4.2, "failed_frames": {}}
    assert with_alerts_of_motion("rig A", CalibrationResult({}, fields, (late,))).alerts == (late,)


def test_frames_without_a_rig_are_counted_with_the_most_frequent_reason():
    fields = {"mode": "frame", "moved_deg": None, "failed_frames": {"few joints": 2, "flat": 5}}
    [alert] = with_alerts_of_motion("S1", CalibrationResult({}, fields)).alerts
    assert alert.message.startswith("7 frames")
    assert alert.evidence == "5 of them: flat"


def test_one_rig_for_all_recordings(tmp_path):
    world = observed_walkers(tmp_path)
    rigs = calibrate(world)
    (R, t), (R_true, t_true) = poses(rigs["r0"]), ring(4)
    assert R.shape == (1, 4, 3, 3)
    C, C_true = centers_of(R[0], t[0]), centers_of(R_true, t_true)
    rotation_deg, center_mm = rig_error(R[0], C, R_true, C_true)
    assert rotation_deg < 0.2
    assert center_mm < 15
    # Metric by mean adult bones, which these people have; gravity from the people.
    assert np.linalg.norm(C[0] - C[2]) == pytest.approx(np.linalg.norm(C_true[0] - C_true[2]), rel=0.01)
    np.testing.assert_allclose(R[0][:, :, 2], R_true[:, :, 2], atol=0.15)
    np.testing.assert_array_equal(poses(rigs["r1"])[0], R)
    record = rigs["r0"].record
    assert (record.mode, record.scale, record.gravity, record.pool) == ("rig", "bones", "people", ["r0", "r1"])
    assert record.inlier_share > 0.9
    assert record.n_frames == 50
    assert 0.3 < np.median(rigs["r0"]["residual_px"]) < 2
    assert (rigs["r0"]["rotation_std_deg"] < 1).all()
    covariance = rigs["r0"]["pose_covariance"]
    assert covariance.shape == (1, 24, 24)
    center_mm2 = np.einsum("vivi->v", covariance[0].reshape(4, 6, 4, 6)[:, 3:, :, 3:])
    np.testing.assert_allclose(np.sqrt(center_mm2), rigs["r0"]["center_std_mm"][0], rtol=1e-4)
    assert rigs.summary.rejected == {}
    assert rigs.summary.calibrated == 2


@pytest.mark.parametrize("mode", ["rig", "adjust"])
def test_landmarks_calibrate_and_joints_say_how_noisy_joints_are(tmp_path, mode):
    world = observed_walkers(tmp_path, noise_px=6.0, landmarks=True)
    rigs = calibrate(world, mode=mode)
    (R, t), (R_true, t_true) = poses(rigs["r0"]), ring(4)
    assert rig_error(R[0], centers_of(R[0], t[0]), R_true, centers_of(R_true, t_true))[0] < 0.01
    with_landmarks = rigs["r0"].record.noise_share
    joints_alone = observed_walkers(tmp_path / "joints", noise_px=6.0)
    assert with_landmarks == pytest.approx(calibrate(joints_alone, mode="known")["r0"].record.noise_share, 0.1)


def test_extrinsics_of_the_manifest_are_not_looked_at(tmp_path):
    world = observed_walkers(tmp_path, n_recordings=1)
    with_them = poses(calibrate(world)["r0"])

    def forget(recording):
        for view in recording.views:
            view.R_cam_from_world = view.t_cam_from_world_mm = None

    world.rewrite(forget)
    np.testing.assert_array_equal(poses(calibrate(world)["r0"])[1], with_them[1])


def test_views_for_evaluation_get_no_pose(tmp_path):
    world = observed_walkers(tmp_path, n_recordings=1)

    def hold_out(recording):
        recording.views[1].evaluation_only = True

    world.rewrite(hold_out)
    for mode in ("rig", "known"):
        R, t = poses(calibrate(world, mode=mode)["r0"])
        assert np.isnan(t[0]).all(-1).tolist() == [False, True, False, False]
        assert np.isfinite(R[0, [0, 2, 3]]).all()


def test_known_rigs_are_used_as_they_are(tmp_path):
    world = observed_walkers(tmp_path)
    rigs = calibrate(world, mode="known")
    R, t = poses(rigs["r1"])
    np.testing.assert_allclose(R[0], ring(4)[0], atol=1e-6)
    np.testing.assert_allclose(t[0], ring(4)[1], atol=1e-3)
    assert rigs["r1"].record.scale == "known"
    assert 0.3 < np.median(rigs["r1"]["residual_px"]) < 2


def test_frame_by_frame(tmp_path):
    world = observed_walkers(tmp_path, n_recordings=1, n_frames=4, noise_px=0.0)
    confidence = np.ones((4, 4, 17))
    confidence[2, 1:] = 0.1
    overwrite_poses2d(world, "r0", confidence=confidence)
    rigs = calibrate(world, mode="frame")
    R, t = poses(rigs["r0"])
    assert np.isnan(t).all((1, 2)).tolist() == [False, False, True, False]
    R_true, t_true = ring(4)
    assert rig_error(R[0], centers_of(R[0], t[0]), R_true, centers_of(R_true, t_true))[0] < 0.01
    assert rigs["r0"].record.n_frames == 3
    assert sum(rigs["r0"].record.failed_frames.values()) == 1


def test_frames_share_one_world(tmp_path):
    """In every other frame the first camera sees nobody, so that the rig is found in the world of another camera."""
    world = observed_walkers(tmp_path, n_recordings=1, n_frames=6, noise_px=0.0)
    confidence = np.ones((6, 4, 17))
    confidence[::2, 0] = 0.1
    confidence[1, 3] = 0.1
    overwrite_poses2d(world, "r0", confidence=confidence)
    R, t = poses(calibrate(world, mode="frame", scale="baseline", baseline=BASELINE)["r0"])
    assert np.isnan(t[::2, 0]).all()
    assert np.isnan(t[1, 3]).all()
    centers = -np.einsum("fvji,fvj->fvi", R, t)
    for v in range(4):
        same = np.isfinite(t[:, v, 0])
        np.testing.assert_allclose(R[same, v], np.broadcast_to(R[same, v][0], R[same, v].shape), atol=1e-3)
        np.testing.assert_allclose(centers[same, v] - centers[same, v][0], 0, atol=5)


def test_scale(tmp_path):
    world = observed_walkers(tmp_path, n_recordings=1, noise_px=0.0)
    bones = centers_of(*(x[0] for x in poses(calibrate(world)["r0"])))
    free = calibrate(world, scale="none")["r0"]
    assert free.record.scale == "none"
    free = centers_of(*(x[0] for x in poses(free)))
    assert np.linalg.norm(free - free.mean(0), axis=-1).mean() == pytest.approx(1000, rel=1e-4)
    with pytest.raises(UserError, match=r"needs the subject's height \(r0\)"):
        calibrate(world, scale="height")

    def tall(recording):
        recording.height_mm = 2 * (408 + 428 + 258 + 258 + 120 + 110) / (1 - 0.039)

    world.rewrite(tall)
    tall = centers_of(*(x[0] for x in poses(calibrate(world, scale="height")["r0"])))
    true = centers_of(*ring(4))
    for found, factor, tolerance in ((bones, 1, 0.01), (tall, 2, 0.002)):
        distance = np.linalg.norm(found[0] - found[2])
        assert distance == pytest.approx(factor * np.linalg.norm(true[0] - true[2]), rel=tolerance)


@pytest.mark.parametrize("mode", ["rig", "window", "frame"])
def test_a_measured_baseline_fixes_the_scale(tmp_path, mode):
    world = observed_walkers(tmp_path, n_recordings=1, n_frames=40 if mode == "window" else 20, noise_px=0.0)
    rig = calibrate(world, mode=mode, scale="baseline")["r0"]
    centers = centers_of(*(x[0] for x in poses(rig)))
    assert np.linalg.norm(centers[0] - centers[2]) == pytest.approx(5000, rel=1e-5)
    assert rig.record.scale == "baseline"
    baseline = BaselineParams(cameras=["c0", "cam9"], mm=5000.0)
    with pytest.raises(UserError, match=r"baseline names cam9 \(r0\)"):
        calibrate(world, mode=mode, scale="baseline", baseline=baseline)


@pytest.mark.parametrize("mode", ["rig", "window"])
def test_the_vertical_of_given_extrinsics(tmp_path, mode):
    world = observed_walkers(tmp_path, n_recordings=1, n_frames=40, noise_px=0.0)

    def forget(recording):
        for view in recording.views[1:]:
            view.R_cam_from_world = view.t_cam_from_world_mm = None

    world.rewrite(forget)
    rig = calibrate(world, mode=mode, gravity="extrinsics")["r0"]
    np.testing.assert_allclose(poses(rig)[0][0][:, :, 2], ring(4)[0][:, :, 2], atol=1e-3)
    assert rig.record.gravity == "extrinsics"
    world.rewrite(lambda r: r.views[0].__dict__.update(R_cam_from_world=None, t_cam_from_world_mm=None))
    with pytest.raises(UserError, match=r"needs a camera with extrinsics \(r0\)"):
        calibrate(world, mode=mode, gravity="extrinsics")


def test_a_baseline_needs_two_cameras():
    with pytest.raises(ValidationError, match="both are c0"):
        BaselineParams(cameras=["c0", "c0"], mm=1000.0)


def test_recordings_that_cannot_be_calibrated_are_counted(tmp_path, caplog):
    world = observed_walkers(tmp_path)

    def own_rig(recording):
        recording.rig = recording.name

    world.rewrite(own_rig)
    overwrite_poses2d(world, "r1", confidence=np.full((25, 4, 17), 0.1))
    rigs = calibrate(world)
    assert list(rigs) == ["r0"]
    assert rigs.summary.rejected == {"r1": "only 0 view(s) with joints of confidence 0.3 or more"}
    assert "r1: not calibrated" in caplog.text
    overwrite_poses2d(world, "r0", confidence=np.full((25, 4, 17), np.nan))
    for mode in ("rig", "frame"):
        with pytest.raises(UserError, match="No recording could be calibrated: r0: "):
            calibrate(world, mode=mode)

    def forget(recording):
        recording.views[0].R_cam_from_world = recording.views[1].R_cam_from_world = None
        recording.views[2].R_cam_from_world = None

    world.rewrite(forget)
    with pytest.raises(UserError, match=r"only 1 view\(s\) that may make labels came with extrinsics"):
        calibrate(world, mode="known")


def test_one_static_pose_is_refused(tmp_path):
    world = observed_walkers(tmp_path, n_recordings=1, n_frames=1)
    with pytest.raises(UserError, match="hold 1 distinct pose"):
        calibrate(world)


def test_a_rig_for_every_frame_of_slowly_moving_cameras(tmp_path):
    world = observed_walkers(tmp_path, n_recordings=1, n_frames=60)
    rigs = calibrate(world, mode="window")
    R, t = poses(rigs["r0"])
    assert R.shape == (60, 4, 3, 3)
    R_true, t_true = ring(4)
    for f in (0, 30, 59):
        assert rig_error(R[f], centers_of(R[f], t[f]), R_true, centers_of(R_true, t_true))[0] < 0.5
    record = rigs["r0"].record
    assert (record.mode, record.moving, record.gravity, record.n_frames) == ("window", True, "people", 60)
    labels = triangulated(world)
    assert np.isfinite(labels["joints_world_mm"]).all(-1).mean() > 0.95


def test_given_extrinsics_are_refined_in_their_own_world(tmp_path):
    world = observed_walkers(tmp_path)

    def turn(recording):
        view = recording.views[1]
        view.R_cam_from_world = (Rotation.from_euler("y", 3, degrees=True).as_matrix() @ view.R_cam_from_world).tolist()

    world.rewrite(turn)
    rigs = calibrate(world, mode="adjust")
    R, t = poses(rigs["r0"])
    R_true, t_true = ring(4)
    assert rig_error(R[0], centers_of(R[0], t[0]), R_true, centers_of(R_true, t_true))[0] < 0.2
    np.testing.assert_allclose(R[0], R_true, atol=0.03)  # the mean of the cameras given is its world
    record = rigs["r0"].record
    assert record.scale == "known"
    assert record.moved_deg is not None
    assert 1 < record.moved_deg < 4
    assert record.pool == ["r0", "r1"]
    assert rigs["r0"]["epipolar_px"][0] < rigs["r0"]["epipolar_start_px"][0]


@pytest.mark.parametrize("focal", ["approximate", "unknown"])
def test_a_focal_length_that_was_found_is_used_from_then_on(tmp_path, focal):
    world = observed_walkers(tmp_path, n_frames=40, n_recordings=1)
    truth = world.joints_world_mm["r0"]

    def misjudge(recording):
        for view in recording.views:
            camera = view.camera.scale_focal(1.1)
            view.K, view.dist = camera.K.tolist(), camera.dist.tolist()

    world.rewrite(misjudge)
    group = calibrate(world, focal=focal)["r0"]
    assert group.record.focal == focal
    np.testing.assert_allclose(np.array(group.record.focal_scale) * 1.1, 1, atol=0.02)
    assert all(std is not None and 0 < std < 0.04 for std in group.record.focal_std)
    # The rig holds the cameras as found; the manifest still has those given.
    assert group.cameras()[0].K[0, 0] == pytest.approx(K[0, 0], rel=0.01)
    given = read_capture(world.paths.frames).recordings[0].views[0].camera
    assert given.K[0, 0] == pytest.approx(1.1 * K[0, 0])
    labels = triangulated(world)
    assert np.nanmedian(labels["reprojection_px"]) < 2
    moved = align(labels["joints_world_mm"], truth)
    assert np.nanmean(np.linalg.norm(moved - truth, axis=-1)) < 12
    # The scale, too, is that of the focal length found.
    assert bone_scale(labels["joints_world_mm"]) == pytest.approx(1, abs=0.005)


def test_one_focal_length_for_moving_cameras_is_refused():
    with pytest.raises(ValidationError, match="needs mode rig or adjust"):
        CalibrateParams.model_validate(CALIBRATE.model_dump() | {"mode": "frame", "focal": "unknown"})


def triangulated(world):
    paths = world.paths
    triangulate_capture(paths.frames, paths.poses2d, paths.rigs, paths.labels, TRIANGULATE)
    return open_store(paths.labels, LABELS)["r0"].person(0)


@pytest.mark.parametrize("mode", ["rig", "adjust"])
@pytest.mark.parametrize("focal", ["approximate", "unknown"])
def test_the_focal_length_of_a_fisheye_has_to_be_exact(tmp_path, focal, mode):
    world = observed_walkers(tmp_path, n_frames=2, n_recordings=1)
    world.rewrite(lambda r: r.views[1].__dict__.update(fisheye=True, dist=[0.1, 0.0, 0.0, 0.0]))
    with pytest.raises(UserError, match=rf"calibrate.focal = {focal} is not possible with the fisheye camera .*r0"):
        calibrate(world, focal=focal, mode=mode)
