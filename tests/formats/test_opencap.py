"""OpenCap's pickled cameras."""

import pickle

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.find_calibration import find_calibration
from tests.formats.cameras import FILE_R, FILE_T_M

NAME = "cameraIntrinsicsExtrinsics.pickle"


def values(i=0, **changes):
    """As OpenCap stores a camera of portrait videos: arrays of these shapes, the size as (height, width)."""
    K = np.array([[1500.0, 0, 355], [0, 1500, 645], [0, 0, 1]])
    return {
        "distortion": np.array([[0.1, 0.2, 0, 0, 0.3]]),
        "intrinsicMat": K,
        "imageSize": np.array([[1280], [720]]),
        "rotation": FILE_R,
        "translation": 1000 * (FILE_T_M + i).reshape(3, 1),
        "rotation_EulerAngles": np.zeros((3, 1)),
        **changes,
    }


def write(path, content, protocol=None):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(pickle.dumps(content, protocol))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("file", ["Cam{}/" + NAME, "Cam{}_" + NAME])
def test_a_file_for_each_camera(tmp_path, file, protocol):
    for i in range(2):
        write(tmp_path / file.format(i), values(i), protocol)
    found = find_calibration(tmp_path)
    assert list(found.cameras) == ["Cam0", "Cam1"]
    camera = found.cameras["Cam1"]
    assert camera.size_px == (720, 1280)
    np.testing.assert_allclose(camera.K[:2, 2], [355, 645])
    np.testing.assert_allclose(camera.dist, [0.1, 0.2, 0, 0, 0.3])
    np.testing.assert_allclose(camera.R_cam_from_world, FILE_R, atol=1e-12)
    np.testing.assert_allclose(camera.t_cam_from_world_mm, 1000 * (FILE_T_M + 1))
    assert found.inferred == ()


def test_intrinsics_alone(tmp_path):
    lens = {key: value for key, value in values().items() if key not in ("rotation", "translation")}
    write(tmp_path / "Cam0" / NAME, lens | {"imageSize": (720, 1280)})
    camera = find_calibration(tmp_path).cameras["Cam0"]
    assert (camera.size_px, camera.has_extrinsics) == ((720, 1280), False)


class Harmful:
    def __reduce__(self):
        return print, ("harm",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (values(extra=Harmful()), r"holds builtins.print and not only arrays"),
        ({"K": np.eye(3)}, r"KeyError: 'intrinsicMat'"),
    ],
)
def test_other_pickles_are_refused_and_run_nothing(tmp_path, capsys, content, message):
    write(tmp_path / "Cam0" / NAME, content)
    with pytest.raises(UserError, match=message):
        find_calibration(tmp_path)
    assert capsys.readouterr().out == ""


def test_a_file_that_is_cut_off_is_named(tmp_path):
    write(tmp_path / "Cam0" / NAME, values())
    data = (tmp_path / "Cam0" / NAME).read_bytes()
    (tmp_path / "Cam0" / NAME).write_bytes(data[:100])
    with pytest.raises(UserError, match=rf"cannot be read as a calibration: ValueError: Cam0/{NAME}"):
        find_calibration(tmp_path)
