"""Cameras that cannot be are refused with the reason."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.calibration_checks import check_intrinsics, has_rotation, have_extrinsics
from tests.formats.cameras import rig
from tests.world.cameras import looking_at

GOOD = rig(1)["cam_0"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"K": np.array([[0.0, 0, 1], [0, 1, 1], [0, 0, 1]])}, "has no camera matrix with positive focal lengths"),
        ({"dist": np.zeros(2)}, "has 2 distortion coefficients; OpenCV has 0, 4, 5"),
        ({"dist": np.full(4, np.nan)}, "has 4 distortion coefficients"),
        ({"dist": np.zeros(5), "fisheye": True}, "OpenCV's fisheye model has 4"),
        ({"size_px": (0, 1080)}, r"has the size \(0, 1080\)"),
    ],
)
def test_a_wrong_camera_is_refused(changes, message):
    with pytest.raises(UserError, match=f"Camera left .*{message}") as error:
        check_intrinsics(replace(GOOD, **changes), "left", Path("c.toml"))
    assert "c.toml" in str(error.value)


@pytest.mark.parametrize("changes", [{}, {"size_px": (0, 0)}])
def test_a_right_camera_passes(changes):
    check_intrinsics(replace(GOOD, **changes), "left", Path("c.toml"))


@pytest.mark.parametrize(
    ("R", "is_one"),
    [
        (GOOD.R_cam_from_world, True),
        (np.full((3, 3), np.nan), True),
        (1.01 * np.eye(3), False),
        (np.diag([1.0, 1, -1]), False),
    ],
)
def test_a_rotation_matrix_is_a_rotation_or_unknown(R, is_one):
    assert has_rotation(replace(GOOD, R_cam_from_world=R)) == is_one


def test_cameras_of_a_regular_ring_have_extrinsics_though_their_translations_are_equal():
    R, t = looking_at(np.array([[5000.0, 0, 1200], [0, 5000.0, 1200]]), np.array([0, 0, 950.0]))
    np.testing.assert_array_equal(t[0], t[1])
    cameras = [GOOD.with_extrinsics(R[v], t[v]) for v in range(2)]
    assert have_extrinsics(cameras)
    assert not have_extrinsics([GOOD.with_extrinsics(R[v], np.zeros(3)) for v in range(2)])
    assert not have_extrinsics([cameras[0], GOOD.with_extrinsics(None, None)])
