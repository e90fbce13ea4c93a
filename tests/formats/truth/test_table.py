"""True points as CSV."""

import numpy as np
import pytest

from pipeline.formats.truth.table import read
from tests.formats.truth.files import write_csv

POINTS = 1000 * np.random.default_rng(0).normal(size=(3, 2, 3))


@pytest.mark.parametrize(("unit", "factor"), [("", 1), ("_mm", 1), ("_cm", 10), ("_m", 1000)])
def test_columns_state_the_unit(tmp_path, unit, factor):
    points = POINTS.copy()
    points[1, 1] = np.nan
    found = read(write_csv(tmp_path / "truth.csv", ["l_hip", "Right Knee"], points, np.arange(3) / 30, unit))
    assert found.names == ("l_hip", "Right Knee")
    np.testing.assert_allclose(found.points_mm, factor * points, atol=0.01 * factor)
    np.testing.assert_allclose(found.times_s, np.arange(3) / 30, atol=1e-6)


def test_spreadsheets_with_decimal_commas_and_frame_numbers_are_read(tmp_path):
    lines = ["frame;head_x;head_y;head_z", "0;1,5;2;-3,25", "", "10;;;"]
    (tmp_path / "truth.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    found = read(tmp_path / "truth.csv")
    np.testing.assert_array_equal(found.points_mm[0], [[1.5, 2, -3.25]])
    assert np.isnan(found.points_mm[1]).all()
    np.testing.assert_array_equal(found.frames, [0, 10])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a line of names"),
        ("time_s,head_x,head_y,head_z\n", "a line of names"),
        ("time_s,head_x,head_y,head_z\n0,1,2\n", "lines of 4 values"),
        ("time_s,head_x,head_z\n0,1,2\n", "head_y"),
        ("time_s,head_x,head_y,head_z,neck_x_m\n0,1,2,3,4\n", "several units: NAME_x and NAME_x_m"),
        ("time_s,X,Y,Z\n0,1,2,3\n", "NAME_x, NAME_y, NAME_z"),
        ("time_s,head_x,head_y,head_z\n0,1,2,three\n", "three"),
    ],
)
def test_other_tables_are_refused(tmp_path, text, message):
    (tmp_path / "truth.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "truth.csv")
