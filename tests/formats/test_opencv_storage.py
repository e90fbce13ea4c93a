"""Entries of OpenCV's files."""

import cv2
import pytest

from pipeline.formats.opencv_storage import has_entry, open_storage


@pytest.mark.parametrize("ending", ["yml", "xml"])
def test_entries_of_a_file(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    storage.write("there", 3)
    storage.release()
    assert has_entry(path, "there")
    assert not has_entry(path, "elsewhere")
    with open_storage(path) as opened:
        assert opened.getNode("there").real() == 3


@pytest.mark.parametrize("text", ["", "a: [1", "%YAML:1.0\n---\n[[[{", "<?xml version='1.0'?><there><x></there>"])
def test_files_that_are_not_opencvs_have_no_entry(tmp_path, text):
    (tmp_path / "a.yml").write_text(text)
    assert not has_entry(tmp_path / "a.yml", "there")
