import numpy as np
import pytest

from pipeline.geometry.camera.model import Camera
from pipeline.learning.images.crops import Crop, crop_of_box
from pipeline.learning.images.targets import cube_target, mirror_cube, pose_of_cube
from pipeline.skeleton import MIRROR, ROOT
from tests.world.people import stick_figures

CAMERA = Camera(np.array([[400, 0, 160], [0, 400, 160], [0, 0, 1.0]]), np.array([-0.2, 0.05, 0, 0, 0]), (320, 320),
                np.eye(3), np.array([100.0, -50.0, 4000.0]))  # fmt: skip


def _person(scale: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joints in the camera (17, 3), in pixels (17, 2) and relative depths (17,)."""
    joints = CAMERA.to_camera(stick_figures(np.random.default_rng(3), 1)[0])
    pixels = CAMERA.project(joints - CAMERA.t_cam_from_world_mm)
    joints = scale * joints
    return joints, pixels, joints[:, 2] / joints[ROOT, 2] - 1


def test_one_unit_is_the_crops_side_on_all_axes():
    """Without distortion, a joint moved by L at the root's depth moves by L f / (Z side) in every direction."""
    joints = np.tile([0.0, 0.0, 4000.0], (17, 1))
    joints[1:4] += 300 * np.eye(3)
    K = CAMERA.K
    pixels = (joints @ K.T)[:, :2] / joints[:, 2:]
    crop = Crop(np.array([160.0, 160.0]), 100.0)
    target = cube_target(crop, pixels, joints[:, 2] / 4000 - 1, 400.0)
    np.testing.assert_allclose(target[0], 0.5)
    np.testing.assert_allclose(target[1:3] - 0.5, 0.3 * np.eye(3)[:2])
    assert target[3, 2] == pytest.approx(0.8)


@pytest.mark.parametrize("angle", [0.0, 0.5])
@pytest.mark.parametrize("mirrored", [False, True])
def test_there_and_back(angle, mirrored):
    _, pixels, depth = _person()
    crop = Crop(pixels.mean(0), 250.0, angle, mirrored)
    target = cube_target(crop, pixels, depth, 400.0)
    assert np.isfinite(target).all()
    back_px, back_depth = pose_of_cube(crop, target, 400.0)
    np.testing.assert_allclose(back_px, pixels, atol=1e-9)
    np.testing.assert_allclose(back_depth, depth, atol=1e-12)


def test_labels_need_no_scale():
    crop = Crop(np.array([170.0, 150.0]), 250.0)
    targets = [cube_target(crop, pixels, depth, 400.0) for _, pixels, depth in (_person(1.0), _person(0.01))]
    np.testing.assert_allclose(*targets, atol=1e-9)


def test_the_pose_comes_back_in_millimetres():
    """From the cube and the root's depth alone, lens distortion included."""
    joints, pixels, depth = _person()
    crop = crop_of_box(np.concatenate([pixels.min(0), pixels.max(0)]))
    back_px, back_depth = pose_of_cube(crop, cube_target(crop, pixels, depth, 400.0), 400.0)
    back = CAMERA.back_project(back_px, joints[ROOT, 2] * (1 + back_depth))
    np.testing.assert_allclose(back, joints, atol=1e-3)


def test_mirroring_an_image_mirrors_its_target():
    _, pixels, depth = _person()
    crop, mirrored = (Crop(np.array([165.0, 150.0]), 250.0, 0.0, m) for m in (False, True))
    seen, in_mirror = (cube_target(c, pixels, depth, 400.0) for c in (crop, mirrored))
    np.testing.assert_allclose(mirror_cube(in_mirror), seen)
    np.testing.assert_allclose(in_mirror[MIRROR][:, 1:], seen[:, 1:])
    assert not np.allclose(in_mirror, seen)


def test_missing_and_outside_joints_are_not_taught():
    _, pixels, depth = _person()
    pixels[5] = depth[7] = np.nan
    pixels[9] = [-1000, 150]
    target = cube_target(Crop(np.array([165.0, 150.0]), 250.0), pixels, depth, 400.0)
    missing = np.isnan(target)
    assert missing[5, :2].all()
    assert not missing[5, 2]
    assert missing[7].tolist() == [False, False, True]
    assert missing[9].tolist() == [True, False, False]
    assert missing.sum() == 4
