"""Files and folders are whole or not there; a result that is absent says why."""

import pytest

from pipeline.files import atomic_write, is_untrained, why_absent, write_absent, write_untrained


def test_a_folder_is_replaced_and_what_a_killed_run_left_is_removed(tmp_path):
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / "stale").touch()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").touch()
    with atomic_write(tmp_path / "out") as aside:
        aside.mkdir()
        (aside / "new").touch()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["new"]


def test_an_error_leaves_what_was_there(tmp_path):
    (tmp_path / "out").write_text("old")

    def fail():
        with atomic_write(tmp_path / "out") as aside:
            aside.write_text("half")
            raise KeyError("bug")

    with pytest.raises(KeyError):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out").read_text() == "old"


def test_an_absent_result_says_why(tmp_path):
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "labels.zarr").mkdir()
    assert why_absent(tmp_path / "result") is None
    write_absent(tmp_path / "result", "nobody asked for it")
    assert why_absent(tmp_path / "result") == "nobody asked for it"
    assert len(list((tmp_path / "result").iterdir())) == 1


def test_weights_that_were_not_trained_are_told_from_others(tmp_path):
    write_untrained(tmp_path / "a.pt")
    (tmp_path / "b.pt").write_bytes(b"PK")
    assert is_untrained(tmp_path / "a.pt")
    assert not is_untrained(tmp_path / "b.pt")
