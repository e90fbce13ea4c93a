"""Qualisys: axes, subpixels, and cameras without intrinsics."""

import numpy as np

from pipeline.formats.calibration import read_calibration
from tests.formats.cameras import FILE_K, FILE_R, FILE_T_M


def qualisys(names=("cam1", "cam2")) -> str:
    """Cameras with axes x right, y up, z backward, whose transform takes them to the world."""
    cameras = []
    axes = (np.diag([1, -1, -1]) @ FILE_R).tolist()
    numbers = " ".join(f'r{i + 1}{j + 1}="{axes[i][j]}"' for i in range(3) for j in range(3))
    for i, name in enumerate(names):
        x, y, z = (float(v) for v in -FILE_R.T @ (1000 * (FILE_T_M + i)))
        cameras.append(f"""<camera active="1" serial="{name}" viewrotation="0">
          <fov_video left="0" top="0" right="95" bottom="63"/>
          <transform {numbers} x="{x}" y="{y}" z="{z}"/>
          <intrinsic focalLengthU="{64 * FILE_K[0, 0]}" focalLengthV="{64 * FILE_K[1, 1]}"
            centerPointU="{64 * FILE_K[0, 2]}" centerPointV="{64 * FILE_K[1, 2]}" skew="0" radialDistortion1="-0.05"
            radialDistortion2="0.14" radialDistortion3="0.01" tangentalDistortion1="0.001"
            tangentalDistortion2="0.002"/></camera>""")
    return f"<calibration><cameras>{''.join(cameras)}</cameras></calibration>"


def test_axes_and_subpixels(tmp_path):
    (tmp_path / "Calib.qca.txt").write_text(qualisys())
    camera = read_calibration(tmp_path / "Calib.qca.txt").cameras["cam2"]
    assert camera.size_px == (96, 64)
    np.testing.assert_allclose(camera.K, FILE_K)
    np.testing.assert_allclose(camera.dist, [-0.05, 0.14, 0.001, 0.002, 0.01])
    np.testing.assert_allclose(camera.R_cam_from_world, FILE_R, atol=1e-12)
    np.testing.assert_allclose(camera.t_cam_from_world_mm, 1000 * (FILE_T_M + 1), atol=1e-9)


def test_the_field_of_view_may_start_elsewhere(tmp_path):
    text = qualisys().replace('left="0" top="0" right="95" bottom="63"', 'left="10" top="20" right="105" bottom="83"')
    (tmp_path / "Calib.qca").write_text(text)
    camera = read_calibration(tmp_path / "Calib.qca").cameras["cam1"]
    assert camera.size_px == (96, 64)
    np.testing.assert_allclose(camera.K[:2, 2], FILE_K[:2, 2] - [10, 20])


def test_cameras_without_intrinsics_are_left_out(tmp_path):
    marker_camera = '<camera active="1" serial="marker"><fov_video left="0" top="0" right="9" bottom="9"/></camera>'
    (tmp_path / "Calib.qca").write_text(qualisys().replace("<cameras>", f"<cameras>{marker_camera}"))
    assert list(read_calibration(tmp_path / "Calib.qca").cameras) == ["cam1", "cam2"]
