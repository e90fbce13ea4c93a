"""The rig that was found as a calibration file, which reads as the cameras that the labels were made with."""

import numpy as np
import pytest
from click.testing import CliRunner

from pipeline.errors import UserError
from pipeline.formats.calibration_files import read_calibration
from pipeline.formats.export_rig import export_rig, main
from pipeline.labels.calibrate import calibrate_capture
from pipeline.stores import RIGS, open_store
from tests.labels.capture import CALIBRATE, write_capture


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("EPILINE_WORKERS", "0")
    write_capture(tmp_path / "frames", n_recordings=1)
    (tmp_path / "frames" / "poses2d.zarr").rename(tmp_path / "poses2d.zarr")
    return tmp_path


def calibrate(data, **changes):
    params = CALIBRATE.model_copy(update=changes)
    calibrate_capture(data / "frames", data / "poses2d.zarr", data / "rigs.zarr", params)


def test_the_rig_found_can_be_read_again(data):
    calibrate(data)
    result = CliRunner().invoke(main, [str(data / "rig.toml"), "--data", str(data), "--format", "pose2sim"])
    assert result.exit_code == 0, result.output
    cameras = read_calibration(data / "rig.toml")
    rig = open_store(data / "rigs.zarr", RIGS)["r0"]
    for v in range(4):
        np.testing.assert_allclose(cameras[f"c{v}"].R_cam_from_world, rig["R_cam_from_world"][0, v], atol=1e-6)
        np.testing.assert_allclose(cameras[f"c{v}"].t_cam_from_world_mm, rig["t_cam_from_world_mm"][0, v], atol=1e-2)
    assert result.output.strip().endswith("rig.toml: c0, c1, c2, c3")


def test_there_must_be_one_rig(data):
    calibrate(data)
    with pytest.raises(UserError, match=r"No rig of the recording S9 was found .*There are r0"):
        export_rig(data, data / "rig.toml", "pose2sim", "S9")
    calibrate(data, mode="frame")
    with pytest.raises(UserError, match="r0 has 25 rigs, one a frame"):
        export_rig(data, data / "rig.toml", "pose2sim")
