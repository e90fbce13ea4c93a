"""Scenes of the 3D viewer."""

import json

import numpy as np
import pytest

from pipeline.report.page.scenes import PlacedCamera, pose_scene, rig_scene, sequence_scene
from pipeline.skeleton import N_JOINTS, joint
from tests.world.cameras import small_camera
from tests.world.people import turning


def test_the_scene_of_a_pose_has_the_orientation_of_its_image():
    pose = small_camera(0).to_camera(turning(0)[0])
    scene = pose_scene({"truth": pose, "label": 0.5 * pose, "prediction": np.full((N_JOINTS, 3), np.nan)})
    truth, label = (np.array(layer["frames"][0]).reshape(-1, 3) for layer in scene["layers"])
    np.testing.assert_allclose(truth, (pose - pose[0]) * [1, -1, -1], atol=1)
    np.testing.assert_allclose(label, truth, atol=1)


def test_missing_joints_are_null():
    poses = small_camera(0).to_camera(turning(0))
    poses[3, 5] = np.nan
    scene = sequence_scene({"label": poses}, 12.5)
    assert scene["layers"][-1]["frames"][3][15:18] == [None, None, None]
    assert json.loads(json.dumps(scene, allow_nan=False)) == scene


def test_people_of_a_sequence_stand_upright():
    scene = sequence_scene({"truth": small_camera(1.0).to_camera(turning(0))}, 12.5)
    frames = np.array(scene["layers"][-1]["frames"], float).reshape(-1, N_JOINTS, 3)
    height = frames[:, 8] - (frames[:, 3] + frames[:, 6]) / 2
    assert (height[:, 1] > 0.95 * np.linalg.norm(height, axis=-1)).all()


@pytest.mark.parametrize("missing", [["l_ankle"], ["l_ankle", "pelvis"], ["l_ankle", "pelvis", "head"]])
def test_people_without_legs_are_drawn_as_well(missing):
    poses = small_camera(1.0).to_camera(turning(0))
    poses[:, [joint(name) for name in missing]] = np.nan
    frames = np.array(sequence_scene({"label": poses}, 12.5)["layers"][-1]["frames"], float).reshape(-1, N_JOINTS, 3)
    up = frames[:, joint("thorax")] - (frames[:, joint("r_hip")] + frames[:, joint("l_hip")]) / 2
    assert (up[:, 1] > 0.9 * np.linalg.norm(up, axis=-1)).all()
    [label] = pose_scene({"label": poses[0], "prediction": np.full((N_JOINTS, 3), np.nan)})["layers"]
    drawn = np.array(label["frames"][0], float).reshape(-1, 3)
    np.testing.assert_array_equal(np.isnan(drawn[:, 0]), np.isnan(poses[0, :, 0]))


def test_given_cameras_are_moved_into_the_calibrated_world():
    cameras = [small_camera(angle) for angle in (0.0, 1.6)]
    given = [PlacedCamera(f"cam{i}", c.R_cam_from_world, c.center_world_mm) for i, c in enumerate(cameras)]
    R = np.array([[0, -1, 0], [0, 0, -1], [1, 0, 0]], float)
    found = [PlacedCamera(c.name, c.R_cam_from_world @ R.T, 0.3 * R @ c.center_mm + 55) for c in given]
    scene, magnification = rig_scene(0.3 * turning(0)[:3] @ R.T + 55, found, given)
    assert magnification == 0
    layers = {layer["name"]: layer["frames"][0] for layer in scene["layers"]}
    np.testing.assert_allclose(layers["given cameras"], layers["calibrated cameras"], atol=2)


def test_people_without_a_pelvis_stand_in_the_rig():
    cameras = [small_camera(angle) for angle in (0.0, 1.6)]
    found = [PlacedCamera(f"cam{i}", c.R_cam_from_world, c.center_world_mm) for i, c in enumerate(cameras)]
    poses = turning(0)[:2].copy()
    poses[:, [joint("pelvis"), joint("l_ankle")]] = np.nan
    scene, _ = rig_scene(poses, found, [])
    assert [layer["name"] for layer in scene["layers"]].count("label") == 1
    assert json.dumps(scene, allow_nan=False)


def test_ellipsoids_have_two_standard_deviations():
    cameras = [small_camera(angle) for angle in (0.0, 1.6)]
    covariance = np.diag([900.0, 100.0, 25.0])  # 30, 10 and 5 mm along the world's axes
    found = [PlacedCamera(f"cam{i}", c.R_cam_from_world, c.center_world_mm, covariance) for i, c in enumerate(cameras)]
    scene, magnification = rig_scene(turning(0)[:3], found, [])
    (layer,) = [layer for layer in scene["layers"] if layer["name"] == "uncertainty"]
    points = np.array(layer["frames"][0], float).reshape(2, -1, 3)
    radii = np.linalg.norm(points - points.mean(1, keepdims=True), axis=-1)
    assert magnification == 1
    np.testing.assert_allclose(radii.max(1), 2 * 30 * magnification, atol=1)
    np.testing.assert_allclose(radii.min(1), 2 * 5 * magnification, atol=1)
