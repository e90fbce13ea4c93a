"""True points as npz."""

import numpy as np
import pytest

from pipeline.formats.truth.npz import read
from pipeline.skeleton import JOINTS

POINTS = np.random.default_rng(0).normal(size=(4, 17, 3))


def write(path, **arrays):
    np.savez(path / "truth.npz", **arrays)
    return path / "truth.npz"


def test_points_names_times_and_unit_are_read(tmp_path):
    found = read(write(tmp_path, joints=POINTS[:, :2], names=["RHip", "LHip"], time_s=[0, 1, 2, 3], unit="m"))
    assert found.names == ("RHip", "LHip")
    np.testing.assert_allclose(found.points_mm, 1000 * POINTS[:, :2])
    np.testing.assert_array_equal(found.times_s, [0, 1, 2, 3])
    assert found.frames is None


def test_without_names_and_unit_they_are_the_17_joints_in_millimetres(tmp_path):
    found = read(write(tmp_path, joints=POINTS.astype(np.float32), frame=[0, 2, 4, 6]))
    assert found.names == JOINTS
    np.testing.assert_allclose(found.points_mm, POINTS, rtol=1e-6)
    np.testing.assert_array_equal(found.frames, [0, 2, 4, 6])
    assert found.times_s is None


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"poses": POINTS}, "no array joints, but poses"),
        ({"joints": POINTS[:, :16]}, r"shape \(4, 16, 3\), not \(frames, 17 names, 3\)"),
        ({"joints": POINTS, "unit": "inch"}, "'inch' is not mm, cm or m"),
        ({"joints": np.array([{}], dtype=object)}, "allow_pickle"),
    ],
)
def test_other_arrays_are_refused(tmp_path, arrays, message):
    with pytest.raises(ValueError, match=message):
        read(write(tmp_path, **arrays))


def test_other_files_are_refused(tmp_path):
    (tmp_path / "truth.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ValueError, match="no npz file"):
        read(tmp_path / "truth.npz")
