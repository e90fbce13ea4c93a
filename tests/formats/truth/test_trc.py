"""True points as TRC, as OpenSim and Pose2Sim write it."""

import numpy as np
import pytest

from pipeline.formats.truth.trc import read
from tests.formats.truth.files import write_trc

NAMES = ["Hip", "RHip", "Left Knee"]
POINTS = np.random.default_rng(0).normal(size=(5, 3, 3))
TIMES_S = 1.5 + np.arange(5) / 60


@pytest.mark.parametrize(("units", "factor"), [("m", 1000), ("mm", 1), ("cm", 10), ("Meters", 1000)])
def test_names_times_and_units_are_read(tmp_path, units, factor):
    found = read(write_trc(tmp_path / "truth.trc", NAMES, POINTS, TIMES_S, units))
    assert found.names == tuple(NAMES)
    np.testing.assert_allclose(found.points_mm, factor * POINTS, atol=1e-3 * factor)
    np.testing.assert_allclose(found.times_s, TIMES_S, atol=1e-6)


@pytest.mark.parametrize("end", ["", "\t", "\t\t"])
def test_empty_cells_are_missing_points_at_the_end_too(tmp_path, end):
    points = POINTS.copy()
    points[1, 0] = points[2, 2] = np.nan
    path = write_trc(tmp_path / "truth.trc", NAMES, points, TIMES_S, end=end)
    lines = path.read_text().splitlines()
    path.write_text("\r\n".join([*lines[:5], "", *(line.rstrip("\t") for line in lines[5:])]))  # as OpenSim writes it
    np.testing.assert_allclose(read(path).points_mm, 1000 * points, atol=1e-2)


def test_columns_that_are_separated_by_spaces_are_read(tmp_path):
    path = write_trc(tmp_path / "truth.trc", ["Hip", "RHip"], POINTS[:, :2], TIMES_S)
    path.write_text(path.read_text().replace("\t", " "))
    assert read(path).names == ("Hip", "RHip")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("PathFileType", "Path"), "does not begin"),
        (("Units", "Unit"), "do not state the Units"),
        (("\tm\t", "\tfathom\t"), "'fathom' is not mm, cm or m"),
        (("Left Knee", ""), "though 2 points need 8"),
        (("1.500000", "now"), "now"),
    ],
)
def test_other_files_are_refused(tmp_path, change, message):
    path = write_trc(tmp_path / "truth.trc", NAMES, POINTS, TIMES_S)
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(ValueError, match=message):
        read(path)


def test_a_file_without_frames_is_refused(tmp_path):
    path = write_trc(tmp_path / "truth.trc", NAMES, POINTS, TIMES_S)
    path.write_text("\n".join([*path.read_text().splitlines()[:5], ""]))
    with pytest.raises(ValueError, match="does not begin"):
        read(path)
