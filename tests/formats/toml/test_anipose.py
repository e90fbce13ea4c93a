"""Anipose's `calibration.toml`, which FreeMoCap writes, too."""

import tomllib

import numpy as np
import pytest

from pipeline.formats.calibration import read_calibration
from pipeline.formats.toml import anipose
from tests.formats.cameras import rig


def test_tables_are_numbered_and_translations_are_millimetres(tmp_path):
    anipose.FORMAT.write(tmp_path / "calibration.toml", rig(2), "")
    tables = tomllib.loads((tmp_path / "calibration.toml").read_text())
    assert list(tables) == ["cam_0", "cam_1", "metadata"]
    assert tables["metadata"]["unit"] == "mm"
    np.testing.assert_allclose(tables["cam_1"]["translation"], rig(2)["cam_1"].t_cam_from_world_mm)


def camera(i, name, translation):
    """A camera as both programs write it: in millimetres, which the file does not say."""
    return f"""[cam_{i}]
name = "{name}"
size = [ 720, 1280,]
matrix = [ [ 912.7, 0.0, 359.5,], [ 0.0, 912.7, 639.5,], [ 0.0, 0.0, 1.0,],]
distortions = [ -0.33, 0.0, 0.0, 0.0, 0.0,]
rotation = [ 0.04, {0.5 * i}, 0.07,]
translation = {translation}
"""


ANIPOSE = "[metadata]\nadjusted = false\nerror = 0.42\n"
FREEMOCAP = """[metadata]
charuco_square_size = 58.0
charuco_board_object = "CharucoBoardDefinition(number_of_squares_width=7, number_of_squares_height=5)"
path_to_recorded_videos = "C:\\\\Users\\\\Jürgen\\\\synchronized_videos"
date_time_calibrated = "2025-03-11T14:19:33"
"""


@pytest.mark.parametrize(
    ("metadata", "names"),
    [
        (ANIPOSE, ["A", "B"]),
        (FREEMOCAP, ["sesh_2022-09-19_16_16_50_synced_Cam1", "sesh_2022-09-19_16_16_50_synced_Cam2"]),
    ],
    ids=["Anipose", "FreeMoCap"],
)
def test_millimetres_that_are_not_stated_are_recognised(tmp_path, metadata, names):
    translations = "[ 0.0, 0.0, 0.0,]", "[ -2512.7, -645.7, 738.9,]"
    tables = [camera(i, name, t) for i, (name, t) in enumerate(zip(names, translations, strict=True))]
    # Windows writes its own encoding.
    (tmp_path / "calibration.toml").write_text("\n".join([*tables, metadata]), encoding="latin-1")
    found = read_calibration(tmp_path / "calibration.toml")
    assert list(found.cameras) == names
    np.testing.assert_allclose(found.cameras[names[1]].t_cam_from_world_mm, [-2512.7, -645.7, 738.9])
    assert "millimetres: the cameras are up to 2.7 m apart" in found.inferred[0]
