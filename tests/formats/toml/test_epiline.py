"""This pipeline's own `calibration.toml`."""

import tomllib
from dataclasses import replace

from pipeline.formats.toml import epiline
from tests.formats.cameras import rig


def test_it_names_its_unit_and_keeps_the_fisheye_model(tmp_path):
    cameras = {"wide": replace(rig(1)["cam_0"], dist=rig(1)["cam_0"].dist[:4], fisheye=True)}
    epiline.FORMAT.write(tmp_path / "calibration.toml", cameras, "")
    assert tomllib.loads((tmp_path / "calibration.toml").read_text())["metadata"] == {"unit": "mm"}
    ((name, camera),) = epiline.FORMAT.read(tmp_path / "calibration.toml")
    assert name == "wide"
    assert camera.fisheye
