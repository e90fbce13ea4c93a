"""`intri.yml` and `extri.yml`: vectors and matrices, missing parts, and names in any letter case."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.calibration import read_calibration, write_calibration
from pipeline.formats.find_calibration import find_calibration
from tests.formats.cameras import FILE_K, FILE_R, FILE_T_M, rig


def write_yaml(folder, sizes=True, names=("intri.yml", "extri.yml")):
    """As EasyMocap writes them: rotations as vectors only, cameras 1 m apart in each axis."""
    for name in names:
        storage = cv2.FileStorage(str(folder / name), cv2.FILE_STORAGE_WRITE)
        storage.startWriteStruct("names", cv2.FILE_NODE_SEQ)
        for camera in ("cam1", "cam2"):
            storage.write("", camera)
        storage.endWriteStruct()
        for i, camera in enumerate(("cam1", "cam2")):
            if "ex" in name.lower():
                storage.write(f"R_{camera}", cv2.Rodrigues(FILE_R)[0])
                storage.write(f"T_{camera}", (FILE_T_M + i).reshape(3, 1))
                continue
            storage.write(f"K_{camera}", FILE_K)
            storage.write(f"dist_{camera}", np.array([[0.1, 0.2, 0, 0, 0.3]]))
            if sizes:
                storage.write(f"W_{camera}", 192)
                storage.write(f"H_{camera}", 128)
        storage.release()
    return folder / names[0]


def test_reads_intrinsics_and_extrinsics(tmp_path):
    cameras = read_calibration(write_yaml(tmp_path)).cameras
    camera = cameras["cam2"]
    assert (list(cameras), camera.size_px) == (["cam1", "cam2"], (192, 128))
    np.testing.assert_allclose(camera.K, FILE_K)
    np.testing.assert_allclose(camera.dist, [0.1, 0.2, 0, 0, 0.3])
    np.testing.assert_allclose(camera.R_cam_from_world, FILE_R)
    np.testing.assert_allclose(camera.t_cam_from_world_mm, 1000 * (FILE_T_M + 1))


def test_a_size_that_is_not_stored_is_unknown(tmp_path):
    assert read_calibration(write_yaml(tmp_path, sizes=False)).cameras["cam1"].size_px == (0, 0)


def test_without_extrinsics(tmp_path):
    path = write_yaml(tmp_path)
    (tmp_path / "extri.yml").unlink()
    assert read_calibration(path).cameras["cam1"].R_cam_from_world is None


@pytest.mark.parametrize(
    "names", [("Intri.yml", "Extri.yml"), ("INTRI.yml", "extri.yml"), ("take_intri.YML", "take_Extri.yml")]
)
def test_extrinsics_are_found_in_any_letter_case(tmp_path, names):
    write_yaml(tmp_path, names=names)
    found = find_calibration(tmp_path)
    assert found.path == tmp_path / names[0]
    assert found.cameras["cam1"].has_extrinsics


def test_extrinsics_that_differ_by_letter_case_alone_are_refused(tmp_path):
    write_yaml(tmp_path, names=("INTRI.yml", "Extri.yml", "extri.yml"))
    with pytest.raises(UserError, match=r"several files of extrinsics: Extri.yml, extri.yml. Keep EXTRI.yml"):
        read_calibration(tmp_path / "INTRI.yml")


@pytest.mark.parametrize("name", ["Intri.yml", "INTRI.xml", "my_intri.yaml"])
def test_the_extrinsics_never_overwrite_the_intrinsics(tmp_path, name):
    write_calibration(tmp_path / name, rig(), "opencv")
    assert len(list(tmp_path.iterdir())) == 2
    back = read_calibration(tmp_path / name).cameras
    np.testing.assert_allclose(back["cam_1"].K, rig()["cam_1"].K)
    np.testing.assert_allclose(back["cam_1"].t_cam_from_world_mm, rig()["cam_1"].t_cam_from_world_mm)


@pytest.mark.parametrize("existing", ["extri.yml", "Extri.YML"])
def test_extrinsics_of_others_are_not_overwritten(tmp_path, existing):
    (tmp_path / existing).write_text("somebody's")
    with pytest.raises(UserError, match=r"(?i)extri.yml exists"):
        write_calibration(tmp_path / "intri.yml", rig(), "opencv")
    assert [path.name for path in tmp_path.iterdir()] == [existing]
    assert (tmp_path / existing).read_text() == "somebody's"


def test_fisheye_lenses_are_refused(tmp_path):
    cameras = {name: replace(camera, fisheye=True, dist=np.zeros(4)) for name, camera in rig().items()}
    with pytest.raises(UserError, match="cannot hold fisheye lenses"):
        write_calibration(tmp_path / "intri.yml", cameras, "opencv")


def test_easymocap_without_sizes_in_board_squares(tmp_path):
    """EasyMocap writes such files line by line: names in quotes, no sizes, lengths in squares of its board."""
    matrix = (
        "K_{n}: !!opencv-matrix\r\n  rows: 3\r\n  cols: 3\r\n  dt: d\r\n  data: [100, 0, 47.5, 0, 101, 31.5, 0, 0, 1]"
    )
    lens = "D_{n}: !!opencv-matrix\r\n  rows: 1\r\n  cols: 5\r\n  dt: d\r\n  data: [0.1, 0.2, 0.0, 0.0, 0.3]"
    pose = "{key}_{n}: !!opencv-matrix\r\n  rows: 3\r\n  cols: 1\r\n  dt: d\r\n  data: [{data}]"
    head = ["%YAML:1.0", "---", "names:", '  - "01"', '  - "none"', '  - "02"']
    lenses = [text.format(n=n) for n in ("01", "02") for text in (matrix, lens)]
    poses = [
        pose.format(key=key, n=n, data=data)
        for n, t in (("01", "1, 2, 37.5"), ("02", "61, 2, 37.5"))
        for key, data in (("R", "0, 0, 0"), ("T", t))
    ]
    (tmp_path / "intri.yml").write_bytes("\r\n".join([*head, *lenses, "W_01: -1", "H_01: -1", ""]).encode())
    (tmp_path / "extri.yml").write_bytes("\r\n".join([*head, *poses, ""]).encode())
    found = find_calibration(tmp_path)
    assert list(found.cameras) == ["01", "02"]
    assert [camera.size_px for camera in found.cameras.values()] == [(0, 0), (0, 0)]
    np.testing.assert_allclose(found.cameras["02"].dist, [0.1, 0.2, 0, 0, 0.3])
    assert found.cameras["02"].has_extrinsics
    assert [alert.kind for alert in found.alerts] == ["unknown_unit"]
