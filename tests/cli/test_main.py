"""The command `epiline`: its help, its subcommands, and what a user sees of an error."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from pipeline.cli import main as module
from pipeline.cli.main import COMMANDS, main
from pipeline.errors import UserError
from tests.house.imports import ROOT

HEAVY = {"torch", "numpy", "cv2", "dask", "zarr", "pandas", "sklearn", "dvc"}


def test_help_fits_one_screen_and_names_every_command():
    shown = CliRunner().invoke(main, ["--help"]).output
    assert len(shown.splitlines()) <= 24
    for name, entry in COMMANDS.items():
        assert name in shown
        assert entry.summary in shown


def test_help_imports_no_heavy_library():
    code = (
        "import sys; from pipeline.cli.main import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    )
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not HEAVY & set(modules.split("\n")[-2].split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_help(name):
    shown = CliRunner().invoke(main, [name, "--help"])
    assert shown.exit_code == 0, shown.output
    assert f"Usage: main {name}" in shown.output


def test_an_unknown_command_is_refused():
    assert CliRunner().invoke(main, ["exportrig"]).exit_code == 2


def test_a_user_error_is_one_line_and_exit_code_1(monkeypatch, tmp_path):
    def fails(*_):
        raise UserError("the file is\ntwo lines long", fix="Shorten it.")

    monkeypatch.setattr("pipeline.cli.profile.apply_profile", fails)
    shown = CliRunner().invoke(main, ["profile", str(tmp_path / "none.yaml")])
    assert shown.exit_code == 1
    assert shown.output == "Error: the file is two lines long. Shorten it.\n"


def test_a_folder_in_place_of_a_file_is_one_line(monkeypatch, tmp_path):
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(ROOT)
    shown = CliRunner().invoke(main, ["profile", str(tmp_path / "folder")])
    assert shown.exit_code == 1
    assert shown.output == f"Error: Is a directory ({tmp_path}/folder). Give the path of a file.\n"


def test_other_errors_keep_their_traceback(monkeypatch):
    def fails(*_):
        raise RuntimeError("a bug")

    monkeypatch.setattr("pipeline.cli.profile.apply_profile", fails)
    with pytest.raises(RuntimeError, match="a bug"):
        CliRunner().invoke(module.main, ["profile", "x.yaml"], catch_exceptions=False)
