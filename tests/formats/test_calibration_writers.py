"""Calibrations written for other programs: each comes back as it was, and says what its readers expect."""

import tomllib

import cv2
import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.calibration_files import read_calibration
from pipeline.formats.calibration_writers import FORMATS, write_calibration
from pipeline.geometry.camera.model import Camera
from tests.geometry.scene import SIZE_PX, K, ring

DIST = np.array([-0.2, 0.1, 0.001, -0.002, 0.03])


def rig(n=3):
    R, t = ring(n)
    return {f"cam {v}" if v else "a": Camera(K + np.diag([v, 0, 0]), DIST, SIZE_PX, R[v], t[v]) for v in range(n)}


def paths(folder):
    return [(form, folder / (end if len(end) > 5 else f"c{end}")) for form, f in FORMATS.items() for end in f.endings]


@pytest.mark.parametrize("form", FORMATS)
def test_round_trip(tmp_path, form):
    for name, path in paths(tmp_path):
        if name != form:
            continue
        cameras = {name.replace(" ", "_"): camera for name, camera in rig().items()}
        write_calibration(path, cameras, form)
        back = read_calibration(path)
        assert list(back) == list(cameras)
        for name, camera in cameras.items():
            assert back[name].size_px == camera.size_px
            np.testing.assert_allclose(back[name].K, camera.K, rtol=1e-12)
            np.testing.assert_allclose(back[name].dist, camera.dist, rtol=1e-12)
            np.testing.assert_allclose(back[name].R_cam_from_world, camera.R_cam_from_world, atol=1e-12)
            np.testing.assert_allclose(back[name].t_cam_from_world_mm, camera.t_cam_from_world_mm, atol=1e-8)


@pytest.mark.parametrize("form", FORMATS)
def test_cameras_without_extrinsics_or_distortion(tmp_path, form):
    path = dict(paths(tmp_path))[form]
    pinhole = Camera(K, np.zeros(0), SIZE_PX)
    write_calibration(path, {"a": pinhole, "b": pinhole}, form)
    back = read_calibration(path)["b"]
    assert not back.known
    assert not back.dist.any()


@pytest.mark.parametrize(("form", "unit_mm"), [("pose2sim", 1000), ("caliscope", 1000), ("anipose", 1), ("epiline", 1)])
def test_toml_holds_rotation_vectors_and_the_translations_of_opencv(tmp_path, form, unit_mm):
    camera = rig()["a"]
    write_calibration(tmp_path / "c.toml", rig(), form)
    tables = tomllib.loads((tmp_path / "c.toml").read_text())
    table = next(iter(tables.get("cameras", tables).values()))
    np.testing.assert_allclose(cv2.Rodrigues(np.array(table["rotation"]))[0], camera.R_cam_from_world, atol=1e-12)
    np.testing.assert_allclose(np.array(table["translation"]) * unit_mm, camera.t_cam_from_world_mm)
    assert table["size"] == list(SIZE_PX)


def test_the_name_must_fit_the_format(tmp_path):
    with pytest.raises(UserError, match=r"c.toml is no name for a calibration of the format opencv.*intri.yml"):
        write_calibration(tmp_path / "c.toml", rig(), "opencv")


@pytest.mark.parametrize("factor", [1000, 1e-3])
def test_a_file_in_another_unit_is_refused(tmp_path, factor):
    cameras = {
        name: camera.with_extrinsics(camera.R_cam_from_world, factor * camera.t_cam_from_world_mm)
        for name, camera in rig(2).items()
    }
    write_calibration(tmp_path / "c.toml", cameras, "pose2sim")
    with pytest.raises(UserError, match=r'The cameras stand up to .* apart .*unit = "mm"'):
        read_calibration(tmp_path / "c.toml")


def test_millimetres_may_be_said(tmp_path):
    write_calibration(tmp_path / "c.toml", rig(), "epiline")
    path = tmp_path / "other.toml"
    path.write_text((tmp_path / "c.toml").read_text().replace('unit = "mm"', 'unit = "inch"'))
    with pytest.raises(UserError, match="unit = 'inch' is not known"):
        read_calibration(path)


def test_a_matrix_that_is_no_rotation_is_refused(tmp_path):
    write_calibration(tmp_path / "intri.yml", {"a": rig()["a"], "b": rig()["cam 1"]}, "opencv")
    extri = tmp_path / "extri.yml"
    text = extri.read_text()
    storage = cv2.FileStorage(str(extri), cv2.FILE_STORAGE_WRITE)
    for name in "ab":
        storage.write(f"Rot_{name}", 1.01 * np.eye(3))
        storage.write(f"T_{name}", np.array([[0.0], [1.0], [float(ord(name))]]))
    storage.release()
    assert text != extri.read_text()
    with pytest.raises(UserError, match="Camera a has a rotation matrix that is none"):
        read_calibration(tmp_path / "intri.yml")


def test_caliscope_numbers_its_cameras_and_may_leave_some_out(tmp_path):
    """Caliscope's `camera_array.toml`: tables cameras.N, without a name, and without intrinsics where ignored."""
    write_calibration(tmp_path / "c.toml", rig(), "caliscope")
    lines = (tmp_path / "c.toml").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.startswith("name"))
    path = tmp_path / "camera_array.toml"
    path.write_text(text + "\n[cameras.7]\nport = 7\nignore = true\nsize = [1280, 720]\n")
    assert list(read_calibration(path)) == ["port_0", "port_1", "port_2"]
