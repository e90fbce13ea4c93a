"""Running a stage: paths from the command line, one line for the user's errors, nothing half-written."""

import errno
import json
import logging
import sys
from pathlib import Path
from typing import Literal

import pytest

from pipeline.errors import UserError
from pipeline.files import atomic_write
from pipeline.progress import progress
from pipeline.stage import run


@pytest.fixture(autouse=True)
def in_tmp(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run_with(monkeypatch, main, *args):
    monkeypatch.setattr(sys, "argv", ["stage", *args])
    with pytest.raises(SystemExit) as ended:
        run(main)
    return ended.value.code


def test_paths_arrive_and_costs_are_written(monkeypatch, tmp_path):
    def main(source, target):
        target.write_text(source.name)

    assert run_with(monkeypatch, main, "in", "out") == 0
    assert (tmp_path / "out").read_text() == "in"
    resources = json.loads((tmp_path / "reports/resources/test_stage.json").read_text())
    assert resources["seconds"] >= 0
    assert resources["peak_mib"] > 1


def test_a_word_arrives_as_it_is_and_names_the_costs(monkeypatch, tmp_path):
    def main(source: Literal["truth"], target: Path):
        target.write_text(source)

    assert run_with(monkeypatch, main, "truth", "out") == 0
    assert (tmp_path / "out").read_text() == "truth"
    assert (tmp_path / "reports/resources/test_stage_truth.json").exists()


def test_user_error_is_one_line_and_exit_code_1(monkeypatch, capsys):
    def main():
        raise UserError("cam1.mp4 has\n3 frames", where="S1", fix="Film again.")

    assert run_with(monkeypatch, main) == 1
    assert capsys.readouterr().err == "test_stage: cam1.mp4 has 3 frames (S1). Film again.\n"


def test_full_disk_is_a_user_error(monkeypatch, capsys, tmp_path):
    def main():
        with atomic_write(tmp_path / "out") as path:
            path.write_text("half")
            raise OSError(errno.ENOSPC, "No space left on device", "out")

    assert run_with(monkeypatch, main) == 1
    assert capsys.readouterr().err.startswith("test_stage: No space left on device (out).")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_a_user_error(monkeypatch, capsys, tmp_path):
    (tmp_path / "file").touch()

    def main():
        (tmp_path / "file" / "out").write_text("text")

    assert run_with(monkeypatch, main) == 1
    assert capsys.readouterr().err == f"test_stage: Not a directory ({tmp_path}/file/out). Correct the path.\n"


def test_a_bug_is_not_hidden(monkeypatch):
    def main():
        raise KeyError("bug")

    monkeypatch.setattr(sys, "argv", ["stage"])
    with pytest.raises(KeyError):
        run(main)


def test_missing_argument(monkeypatch, capsys):
    def main(source): ...

    assert run_with(monkeypatch, main) == 2
    assert "SOURCE" in capsys.readouterr().err


def test_progress_yields_everything_and_says_so(caplog):
    with caplog.at_level(logging.INFO, logger="epiline"):
        assert list(progress(range(3), "counting", unit="sheep")) == [0, 1, 2]
    assert "counting: 3 sheeps in" in caplog.text


def test_a_stage_that_is_not_measured_writes_no_resources(monkeypatch, tmp_path):
    def main(target):
        target.write_text("done")

    monkeypatch.setattr(sys, "argv", ["stage", "out"])
    with pytest.raises(SystemExit):
        run(main, measured=False)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_of_several_processes_the_first_writes_the_resources(monkeypatch, tmp_path):
    monkeypatch.setenv("RANK", "1")

    def main(target):
        target.write_text("done")

    assert run_with(monkeypatch, main, "out") == 0
    assert not (tmp_path / "reports").exists()
