"""The table of the subjects' heights."""

import pytest

from pipeline.datasets.subject_heights import alerts_of_unknown_subjects, read_heights
from pipeline.datasets.takes import Take
from pipeline.errors import UserError


def write(folder, text):
    path = folder / "subjects.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_heights_by_subject(tmp_path):
    assert read_heights(write(tmp_path, "subject, height_mm\nS2, 1780\nS1,1650.5\n")) == {"S2": 1780, "S1": 1650.5}


def test_a_byte_order_mark_is_ignored(tmp_path):
    assert read_heights(write(tmp_path, "\ufeffsubject,height_mm\nS2,1780\n")) == {"S2": 1780}


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig", "utf-8"])
def test_encodings_of_other_programs(tmp_path, encoding):
    (tmp_path / "subjects.csv").write_bytes("subject,height_mm\r\nJürgen,1780\r\n".encode(encoding))
    assert read_heights(tmp_path / "subjects.csv") == {"Jürgen": 1780}


def test_spaces_around_entries_are_not_part_of_them(tmp_path):
    assert read_heights(write(tmp_path, 'subject , height_mm\nS1 , 1780 \n"S2 ",1650\n')) == {"S1": 1780, "S2": 1650}


@pytest.mark.parametrize("text", ["subject;height_mm\nS1;1780,5\n", "subject\theight_mm\nS1\t1780.5\n"])
def test_separators_of_other_programs(tmp_path, text):
    assert read_heights(write(tmp_path, text)) == {"S1": 1780.5}


def test_subjects_without_a_recording_are_an_alert_if_others_lack_a_height(tmp_path):
    takes = [Take("S1_walk", tmp_path, []), Take("S2_walk", tmp_path, [])]
    [alert] = alerts_of_unknown_subjects({"S01": 1700.0, "S2": 1800.0}, takes)
    assert alert.message == "there is no recording of S01, and no height of S1"
    assert alerts_of_unknown_subjects({"S1": 1700.0, "S2": 1800.0, "S3": 1650.0}, takes) == []


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
