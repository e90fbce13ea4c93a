"""Pose2Sim's `Calib_*.toml`."""

import tomllib
from dataclasses import replace

import numpy as np

from pipeline.formats.toml import pose2sim
from tests.formats.cameras import rig


def test_tables_are_named_after_their_cameras_and_translations_are_metres(tmp_path):
    cameras = {"left": rig(1)["cam_0"]}
    pose2sim.FORMAT.write(tmp_path / "Calib.toml", cameras, "")
    tables = tomllib.loads((tmp_path / "Calib.toml").read_text())
    assert list(tables) == ["left", "metadata"]
    np.testing.assert_allclose(tables["left"]["translation"], cameras["left"].t_cam_from_world_mm / 1000)


def test_a_pinhole_has_four_distortion_coefficients(tmp_path):
    pose2sim.FORMAT.write(tmp_path / "Calib.toml", {"left": replace(rig(1)["cam_0"], dist=np.zeros(0))}, "")
    assert tomllib.loads((tmp_path / "Calib.toml").read_text())["left"]["distortions"] == [0, 0, 0, 0]
