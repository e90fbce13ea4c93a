"""COLMAP's text model: its pixels, its poses and its names."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.errors import UserError
from pipeline.formats.calibration import read_calibration
from pipeline.formats.find_calibration import find_calibration
from tests.formats.cameras import FILE_R, FILE_T_M

CAMERAS = """# Camera list with one line of data per camera:
#   CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]
# Number of cameras: 2
1 SIMPLE_RADIAL 96 64 100 48 32 -0.1
2 OPENCV 96 64 100 101 47 33 0.1 0.2 0.001 0.002
"""
SINGLE = "# CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]\n7 {model} 96 64 {values}\n"


def images(*names, points="12.5 30.25 -1 40.0 20.0 17 10.0 11.0 3 9.5 8.5 2"):
    """As COLMAP writes images: a line for each, and a line of its points (x, y, id), which may be empty."""
    x, y, z, w = Rotation.from_matrix(FILE_R).as_quat()
    lines = [
        "# Image list with two lines of data per image:",
        "#   IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME",
    ]
    for i, name in enumerate(names):
        t = " ".join(str(v + i) for v in FILE_T_M)
        lines += [f"{i + 1} {w} {x} {y} {z} {t} {i + 1} {name}", points if i else ""]
    return "\n".join([*lines, ""])


def write(folder, *names, cameras=CAMERAS, **changes):
    (folder / "cameras.txt").write_text(cameras)
    (folder / "images.txt").write_text(images(*names, **changes))
    (folder / "points3D.txt").write_text("# 3D point list\n")
    return find_calibration(folder)


def test_poses_and_pixels(tmp_path):
    found = write(tmp_path, "cam1.png", "cam2.png")
    assert list(found.cameras) == ["cam1", "cam2"]
    one, other = found.cameras.values()
    np.testing.assert_allclose(one.K, [[100, 0, 47.5], [0, 100, 31.5], [0, 0, 1]])
    np.testing.assert_allclose(one.dist, [-0.1, 0, 0, 0])
    np.testing.assert_allclose(other.K, [[100, 0, 46.5], [0, 101, 32.5], [0, 0, 1]])
    np.testing.assert_allclose(other.dist, [0.1, 0.2, 0.001, 0.002])
    assert other.size_px == (96, 64)
    np.testing.assert_allclose(other.R_cam_from_world, FILE_R, atol=1e-12)
    np.testing.assert_allclose(other.t_cam_from_world_mm, 1000 * (FILE_T_M + 1))
    [alert] = found.alerts
    assert "the scale of the extrinsics is arbitrary; metres are assumed" in alert.message


def test_the_points_of_an_image_may_be_none(tmp_path):
    assert len(write(tmp_path, "cam1.png", "cam2.png", points="").cameras) == 2


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("cam1/0001.png", "cam2/0001.png"), ["cam1", "cam2"]),
        (("images/left cam.jpg", "images/right cam.jpg"), ["left cam", "right cam"]),
    ],
)
def test_names_of_images_and_of_their_folders(tmp_path, names, expected):
    assert list(write(tmp_path, *names).cameras) == expected


@pytest.mark.parametrize(
    ("model", "values", "dist", "fisheye"),
    [
        ("SIMPLE_PINHOLE", "100 48 32", [0, 0, 0, 0], False),
        ("PINHOLE", "100 100 48 32", [0, 0, 0, 0], False),
        ("RADIAL", "100 48 32 0.1 0.2", [0.1, 0.2, 0, 0], False),
        ("FULL_OPENCV", "100 100 48 32 1 2 3 4 5 6 7 8", [1, 2, 3, 4, 5, 6, 7, 8], False),
        ("RADIAL_FISHEYE", "100 48 32 0.1 0.2", [0.1, 0.2, 0, 0], True),
        ("OPENCV_FISHEYE", "100 100 48 32 0.1 0.2 0.3 0.4", [0.1, 0.2, 0.3, 0.4], True),
    ],
)
def test_models_and_intrinsics_alone(tmp_path, model, values, dist, fisheye):
    (tmp_path / "cameras.txt").write_text(SINGLE.format(model=model, values=values))
    camera = read_calibration(tmp_path / "cameras.txt").cameras["7"]
    np.testing.assert_allclose(camera.K, [[100, 0, 47.5], [0, 100, 31.5], [0, 0, 1]])
    np.testing.assert_allclose(camera.dist, dist)
    assert (camera.fisheye, camera.has_extrinsics) == (fisheye, False)


@pytest.mark.parametrize(
    ("cameras", "names", "message"),
    [
        (SINGLE.format(model="FOV", values="100 100 48 32 0.9"), (), "camera model FOV is not supported; .*OPENCV"),
        (SINGLE.format(model="PINHOLE", values="100 48 32"), (), "cannot be read as a calibration"),
        (CAMERAS, ("cam1/1.png", "cam1/2.png", "cam2/1.png"), "cannot be read as a calibration"),
        (CAMERAS, ("cam1.png", "cam1.jpg"), "several images of cam1; keep one image for each camera"),
    ],
)
def test_other_models_are_refused_by_name(tmp_path, cameras, names, message):
    with pytest.raises(UserError, match=message):
        write(tmp_path, *names, cameras=cameras)


def test_a_list_of_cameras_by_somebody_else_is_no_calibration(tmp_path):
    (tmp_path / "my_cameras.txt").write_text("cam1 the one at the door\ncam2 the other\n")
    assert find_calibration(tmp_path) is None
