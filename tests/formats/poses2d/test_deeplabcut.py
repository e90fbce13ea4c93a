"""DeepLabCut's CSV tables."""

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.poses2d.deeplabcut import open_views

PARTS = ("left_knee", "right_knee")


def table(rows, individuals=None):
    """The text of a table: rows of (frame, values)."""
    one = [(part, coord) for part in PARTS for coord in ("x", "y", "likelihood")]
    columns = [("net", person, *column) for person in individuals or ("",) for column in one]
    levels = list(zip(*columns, strict=True))
    names = ("scorer", "individuals", "bodyparts", "coords")
    kept = [i for i, name in enumerate(names) if individuals or name != "individuals"]
    lines = [[names[i], *levels[i]] for i in kept] + [[frame, *values] for frame, values in rows]
    return "\n".join(",".join(map(str, line)) for line in lines) + "\n"


def write(folder, text, name="cam1DLC_resnet50_walkMay1shuffle1_50000.csv"):
    (folder / name).write_text(text)
    return folder / name


def test_a_row_for_each_frame(tmp_path):
    path = write(tmp_path, table([(0, [1, 2, 0.9, 3, 4, 0.8]), (1, [5, 6, 0.7, "", "", ""])]))
    [(view, poses)] = open_views(path).items()
    assert (view, poses.points) == ("cam1", PARTS)
    people = poses.read(np.array([0, 1]))
    np.testing.assert_array_equal(people.points_px[0], [[1, 2], [3, 4]])
    np.testing.assert_allclose(people.confidence, [[0.9, 0.8], [0.7, 0]])


def test_several_individuals(tmp_path):
    values = np.arange(1, 13)
    [poses] = open_views(write(tmp_path, table([(0, values), (3, [*values[:6], *[""] * 6])], ("a", "b")))).values()
    people = poses.read(np.array([0, 1]))
    np.testing.assert_array_equal(people.rows, [0, 0, 1])
    np.testing.assert_array_equal(people.points_px[:, 0, 0], [1, 7, 1])
    np.testing.assert_array_equal(poses.numbers, [0, 3])


def test_frames_may_be_images(tmp_path):
    rows = [(f"labeled-data/walk/img{i:04d}.png", [1, 2, 0.9, 3, 4, 0.8]) for i in (7, 9)]
    [poses] = open_views(write(tmp_path, table(rows))).values()
    np.testing.assert_array_equal(poses.numbers, [7, 9])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([(0, ["left", 2, 0.9, 3, 4, 0.8])], "A value is no number.*left"),
        ([("first", [1, 2, 0.9, 3, 4, 0.8])], "The frame first has no number"),
        ([(4, [1, 2, 0.9, 3, 4, 0.8])] * 2, "4 and 4 are of the same frame, 4"),
    ],
)
def test_wrong_tables_are_refused(tmp_path, rows, said):
    with pytest.raises(UserError, match=said):
        open_views(write(tmp_path, table(rows)))


@pytest.mark.parametrize("text", ["", "frame,a_x\n0,1\n", "scorer,net\nname,x\n"])
def test_other_tables_are_not_deeplabcut(tmp_path, text):
    assert open_views(write(tmp_path, text)) == {}
