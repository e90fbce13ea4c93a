"""Anipose's `calibration.toml`."""

import tomllib

import numpy as np

from pipeline.formats import anipose
from tests.formats.cameras import rig


def test_tables_are_numbered_and_translations_are_millimetres(tmp_path):
    anipose.FORMAT.write(tmp_path / "calibration.toml", rig(2), "")
    tables = tomllib.loads((tmp_path / "calibration.toml").read_text())
    assert list(tables) == ["cam_0", "cam_1", "metadata"]
    assert tables["metadata"]["unit"] == "mm"
    np.testing.assert_allclose(tables["cam_1"]["translation"], rig(2)["cam_1"].t_cam_from_world_mm)
