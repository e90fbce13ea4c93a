"""Which of the files in a folder is the calibration."""

import pytest

from pipeline.errors import UserError
from pipeline.formats.calibration import write_calibration
from pipeline.formats.find_calibration import files_without_cameras, find_calibration
from tests.formats.cameras import rig, toml
from tests.formats.test_qualisys import qualisys

# The tables of Pose2Sim's configuration that come closest to those of a camera.
POSE2SIM_CONFIG = """[project]
multi_person = false
frame_rate = 'auto'
[pose]
pose_model = 'Body_with_feet'
[calibration]
calibration_type = 'convert'
[calibration.convert]
convert_from = 'qualisys'
[calibration.calculate.intrinsics]
intrinsics_corners_nb = [4, 7]
intrinsics_square_size = 60
"""


def test_none_one_and_two(tmp_path):
    assert find_calibration(tmp_path) is None
    write_calibration(tmp_path / "intri.yml", rig(), "opencv")  # extri.yml lies beside it
    (tmp_path / "notes.txt").write_text("x")
    assert find_calibration(tmp_path).path == tmp_path / "intri.yml"
    (tmp_path / "Old.TOML").write_text(toml())
    with pytest.raises(UserError) as error:
        find_calibration(tmp_path)
    assert "several calibration files: Old.TOML (2 cameras, 2 of them with extrinsics), intri.yml (3" in str(
        error.value
    )
    assert str(error.value).endswith("Keep one.")


def test_hidden_files_are_ignored(tmp_path):
    (tmp_path / "Calib.qca.txt").write_text(qualisys())
    (tmp_path / "._Calib.qca.txt").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X")
    assert find_calibration(tmp_path).path == tmp_path / "Calib.qca.txt"


def test_a_configuration_is_no_calibration(tmp_path):
    (tmp_path / "Config.toml").write_text(POSE2SIM_CONFIG)
    assert find_calibration(tmp_path) is None
    assert files_without_cameras(tmp_path) == ["Config.toml"]
    (tmp_path / "Calib.toml").write_text(toml())
    assert find_calibration(tmp_path).path == tmp_path / "Calib.toml"


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "broken.toml").write_text("[cam_0\n")
    with pytest.raises(UserError, match=r"broken.toml cannot be read as a calibration"):
        find_calibration(tmp_path)
    (tmp_path / "Calib.toml").write_text(toml())
    with pytest.raises(UserError, match=r"Calib.toml \(2 cameras, .*\), broken.toml \(cannot be read\)"):
        find_calibration(tmp_path)


def test_a_conversion_of_the_same_cameras_gives_way_to_the_original(tmp_path, caplog):
    caplog.set_level("INFO", "epiline")
    (tmp_path / "Calib.qca.txt").write_text(qualisys())
    cameras = find_calibration(tmp_path).cameras
    write_calibration(tmp_path / "Calib_qualisys.toml", cameras, "pose2sim")
    assert find_calibration(tmp_path).path == tmp_path / "Calib.qca.txt"
    assert "Calib.qca.txt is used; Calib_qualisys.toml has no other cameras" in caplog.text


def test_the_file_that_says_more_is_taken(tmp_path):
    (tmp_path / "intrinsics_only.toml").write_text(toml(extrinsics=False))
    (tmp_path / "zz.toml").write_text(toml(("cam1", "cam2", "cam3")))
    assert find_calibration(tmp_path).path == tmp_path / "zz.toml"


@pytest.mark.parametrize(
    "change", [("100.0", "102.0"), ("[0.1, 0.2, 3.0]", "[0.2, 0.2, 3.0]"), ("0.1, 0.2, 0.3", "0.1, 0.2, 0.31")]
)
def test_the_same_names_with_other_numbers_are_refused(tmp_path, change):
    (tmp_path / "a.toml").write_text(toml())
    (tmp_path / "b.toml").write_text(toml().replace(*change))
    with pytest.raises(UserError, match=r"several calibration files: a.toml .*, b.toml"):
        find_calibration(tmp_path)
