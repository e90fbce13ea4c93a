"""True joints in the world of the cameras: axes, cameras, and people whom no camera sees."""

import numpy as np
import pytest

from pipeline.capture import Recording, View
from pipeline.datasets.truth.placing import all_axes, check_is_seen, check_size, place, rotation_of_axes
from pipeline.errors import UserError
from tests.datasets.footage import TRUTH
from tests.datasets.truth.footage import JOINTS, cameras

RECORDING = Recording(
    name="S1_walk", subject="S1", action="walk", split="train", rig="r", fps=25, n_frames=20,
    views=[View.of(name, "none", camera) for name, camera in cameras().items()],
)  # fmt: skip


def test_all_axes_are_the_rotations_of_a_cube():
    rotations = np.array([rotation_of_axes(axes) for axes in all_axes()])
    assert len({R.tobytes() for R in rotations}) == 24
    np.testing.assert_allclose(np.linalg.det(rotations), 1)


@pytest.mark.parametrize("axes", ["xyz", "zxy", "x-zy", "-z-yx"])
def test_axes_are_undone_in_the_world_and_in_a_camera(axes):
    R = rotation_of_axes(axes)
    world = TRUTH.model_copy(update={"coordinates": "world", "axes": axes})
    np.testing.assert_allclose(place(JOINTS @ R, RECORDING, world), JOINTS, atol=1e-9)
    of_camera = TRUTH.model_copy(update={"coordinates": "camera", "camera": "cam1", "axes": axes})
    in_camera = cameras()["cam1"].to_camera(JOINTS)
    np.testing.assert_allclose(place(in_camera @ R, RECORDING, of_camera), JOINTS, atol=1e-9)


def test_axes_that_would_show_the_person_are_proposed():
    world = TRUTH.model_copy(update={"coordinates": "world"})
    joints = JOINTS + np.array([0, 0, 250])
    check_is_seen(joints, RECORDING, world)
    # Beside a person who lies 4 m away by wrong axes, other axes show an upright one.
    far = joints + np.array([0, 0, 4000])
    with pytest.raises(UserError, match=r"in the images of no camera.*or set capture.truth.coordinates=aligned"):
        check_is_seen(far, RECORDING, world)
    moved = RECORDING.model_copy(update={"views": [
        View.of(name, "none", camera.with_extrinsics(
            camera.R_cam_from_world, camera.t_cam_from_world_mm - camera.R_cam_from_world @ [0, 0, 4000.0]
        )) for name, camera in cameras().items()
    ]})  # fmt: skip
    check_is_seen(far, moved, world)
    with pytest.raises(UserError, match=r"With capture\.truth\.axes=zxy they lie in those of all cameras"):
        check_is_seen(far @ rotation_of_axes("zxy"), moved, world)


def test_missing_joints_and_aligned_truth_are_not_judged():
    world = TRUTH.model_copy(update={"coordinates": "world"})
    check_is_seen(np.full_like(JOINTS, np.nan), RECORDING, world)
    check_is_seen(JOINTS + 1e6, RECORDING, TRUTH.model_copy(update={"coordinates": "aligned"}))


def test_people_are_as_large_as_people():
    assert check_size(JOINTS).verdict == "usual"
    assert check_size(JOINTS * np.where(np.arange(17) == 0, 1, np.nan)[:, None]) is None
    with pytest.raises(UserError, match=r"1[01](\.\d)? times as large as an adult"):
        check_size(11 * JOINTS)  # 20 m
