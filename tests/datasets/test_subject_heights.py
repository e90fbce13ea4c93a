"""The table of the subjects' heights."""

import pytest

from pipeline.datasets.subject_heights import read_heights
from pipeline.errors import UserError


def write(folder, text):
    path = folder / "subjects.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_heights_by_subject(tmp_path):
    assert read_heights(write(tmp_path, "subject, height_mm\nS2, 1780\nS1,1650.5\n")) == {"S2": 1780, "S1": 1650.5}


def test_a_byte_order_mark_is_ignored(tmp_path):
    assert read_heights(write(tmp_path, "\ufeffsubject,height_mm\nS2,1780\n")) == {"S2": 1780}


def test_without_the_file_no_height_is_known(tmp_path):
    assert read_heights(tmp_path / "subjects.csv") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("subject,height_mm\nS1,1.78\n", r"height_mm = 1.78 of S1 is not a height in mm \(.*line 2\)"),
        ("subject,height_mm\nS1,1780\nS2,3000\n", r"height_mm = 3000 of S2 .*line 3"),
        ("subject,height\nS1,1780\n", r"no subject and height \(line 2\)"),
        ("subject,height_mm\nS1,tall\n", r"no subject and height \(line 2\)"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(tmp_path, text, message):
    with pytest.raises(UserError, match=message):
        read_heights(write(tmp_path, text))
