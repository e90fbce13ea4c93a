"""Files of true points: found by their ending, checked, and refused with their name."""

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.truth.truth_file import FORMATS, read_points
from tests.formats.truth.files import write_csv, write_trc

POINTS = np.random.default_rng(0).normal(size=(4, 17, 3))
TIMES_S = np.arange(4) / 50


def write(path, **changes):
    np.savez(path / "truth.npz", **{"joints": POINTS, "time_s": TIMES_S, **changes})
    return path / "truth.npz"


def test_the_ending_tells_the_format(tmp_path):
    names = [f"p{i}" for i in range(17)]
    for path in (
        write(tmp_path),
        write_csv(tmp_path / "truth.CSV", names, POINTS, TIMES_S),
        write_trc(tmp_path / "truth.trc", names, POINTS, TIMES_S, "mm"),
    ):
        np.testing.assert_allclose(read_points(path).points_mm, POINTS, atol=1e-3)
    assert set(FORMATS) == {".npz", ".csv", ".trc", ".c3d"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"time_s": TIMES_S[:3]}, "4 rows, but 3 times"),
        ({"time_s": TIMES_S[[0, 1, 1, 2]]}, "do not increase at row 2"),
        ({"time_s": TIMES_S[::-1]}, "do not increase at row 1"),
        ({"time_s": np.array([0, np.nan, 1, 2])}, "do not increase at row 1"),
        ({"time_s": np.array([0, 1, 2, np.inf])}, "do not increase at row 3"),
        ({"joints": np.where(np.arange(3) == 1, np.inf, POINTS)}, "infinite values"),
        ({"joints": np.where(np.arange(3) == 1, np.nan, POINTS)}, "pelvis has only some of its coordinates at row 0"),
        ({"joints": POINTS[:, :5]}, "17 names"),
    ],
)
def test_bad_rows_are_refused_with_the_name_of_the_file(tmp_path, changes, message):
    with pytest.raises(UserError, match=rf"truth\.npz cannot be read as truth: .*{message}.*docs/data\.md"):
        read_points(write(tmp_path, **changes))


def test_rows_without_times_are_refused(tmp_path):
    np.savez(tmp_path / "truth.npz", joints=POINTS)
    with pytest.raises(UserError, match="neither the time"):
        read_points(tmp_path / "truth.npz")
