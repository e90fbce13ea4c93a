"""Files and folders are either whole or not there."""

import pytest

from pipeline.alerts import Alert
from pipeline.files import atomic_write, placeholder_alerts, placeholder_reason, scratch_folder, write_placeholder


def test_a_file_gets_its_name_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with atomic_write(path) as aside:
        aside.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    with pytest.raises(RuntimeError), atomic_write(path) as aside:
        aside.write_text("half")
        raise RuntimeError
    assert path.read_text() == "whole"
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_a_scratch_folder_starts_empty_and_is_removed(tmp_path):
    path = tmp_path / "scratch.partial"
    path.mkdir()
    (path / "left").touch()
    with scratch_folder(path) as folder:
        assert list(folder.iterdir()) == []
        (folder / "new").touch()
    assert not path.exists()
    with pytest.raises(RuntimeError), scratch_folder(path):
        raise RuntimeError
    assert not path.exists()


def test_an_absent_result_says_why(tmp_path):
    write_placeholder(tmp_path / "result", "there is no truth")
    assert placeholder_reason(tmp_path / "result") == "there is no truth"
    assert placeholder_reason(tmp_path) is None
    alert = Alert(kind="no_rig", severity="error", subject="S1", message="not calibrated")
    write_placeholder(tmp_path / "result", "there is no rig", [alert])
    assert placeholder_alerts(tmp_path / "result") == [alert]
    assert placeholder_alerts(tmp_path) == []


def test_a_file_does_not_replace_a_folder(tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "kept").touch()
    with pytest.raises(IsADirectoryError, match="results"), atomic_write(folder) as aside:
        aside.write_text("a file")
    assert [path.name for path in tmp_path.rglob("*")] == ["results", "kept"]
    with atomic_write(folder) as aside:
        aside.mkdir()
    assert list(folder.iterdir()) == []
