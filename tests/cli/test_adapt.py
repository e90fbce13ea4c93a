"""`epiline adapt` hands its options on and refuses values out of range."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli import adapt as module
from pipeline.cli.main import main
from pipeline.learning.lifting.adapt import LOOP

PATHS = ["pose3d.pt", "frames", "poses2d.zarr", "rigs.zarr", "adapted"]


@pytest.fixture
def calls(monkeypatch):
    found = []
    monkeypatch.setattr(module, "adapt_network", lambda *arguments: found.append(arguments))
    return found


def test_defaults_and_options(calls):
    assert CliRunner().invoke(main, ["adapt", *PATHS]).exit_code == 0
    assert CliRunner().invoke(main, ["adapt", *PATHS, "--split", "train", "--epochs", "2"]).exit_code == 0
    paths = tuple(Path(path) for path in PATHS)
    assert calls == [(*paths, "test", LOOP), (*paths, "train", LOOP.model_copy(update={"epochs": 2}))]


@pytest.mark.parametrize("option", [("--lr", "0"), ("--epochs", "0"), ("--split", "all"), ("--seed", "-1")])
def test_values_out_of_range(calls, option):
    assert CliRunner().invoke(main, ["adapt", *PATHS, *option]).exit_code == 2
    assert not calls


def test_the_network_to_adapt_is_not_replaced(tmp_path):
    arguments = [str(tmp_path / "pose3d.pt"), "frames", "poses2d", "rigs", str(tmp_path)]
    shown = CliRunner().invoke(main, ["adapt", *arguments])
    assert shown.exit_code == 1
    assert shown.output.startswith(f"Error: The adapted network would replace {tmp_path}/pose3d.pt.")
