"""`epiline profile` changes the params.yaml of the current folder."""

import shutil

from click.testing import CliRunner

from pipeline.cli.main import main
from pipeline.params.file import read_params
from tests.house.imports import ROOT


def test_the_profile_of_the_repository(tmp_path, monkeypatch):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(main, ["profile", str(ROOT / "profiles/tiny.yaml")])
    assert shown.exit_code == 0, shown.output
    assert read_params().train.epochs == 2


def test_an_unknown_key_is_one_line(tmp_path, monkeypatch):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.yaml").write_text("train: {epoch: 2}\n")
    shown = CliRunner().invoke(main, ["profile", "wrong.yaml"])
    assert shown.exit_code == 1
    assert shown.output == "Error: unknown key epoch (wrong.yaml).\n"


def test_a_folder_without_params_yaml_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(main, ["profile", str(ROOT / "profiles/tiny.yaml")])
    assert shown.exit_code == 1
    assert shown.output == "Error: params.yaml does not exist. Run from the folder that holds it.\n"
