"""Caliscope's `camera_array.toml`."""

from pipeline.formats.calibration import read_calibration, write_calibration
from tests.formats.cameras import rig


def test_cameras_without_a_name_are_ports_and_those_without_intrinsics_are_left_out(tmp_path):
    write_calibration(tmp_path / "c.toml", rig(), "caliscope")
    lines = (tmp_path / "c.toml").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.startswith("name"))
    path = tmp_path / "camera_array.toml"
    path.write_text(text + "\n[cameras.7]\nport = 7\nignore = true\nsize = [1280, 720]\n")
    assert list(read_calibration(path)) == ["port_0", "port_1", "port_2"]
