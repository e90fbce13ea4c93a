"""`epiline compare` prints the comparison and writes the page that was asked for."""

import pytest
from click.testing import CliRunner

from pipeline.cli import compare as module
from pipeline.cli.main import main


@pytest.fixture
def calls(monkeypatch):
    found = []
    monkeypatch.setattr(module, "compare_experiments", lambda before, after: f"# From {before} to {after}")
    monkeypatch.setattr(module, "write_side_by_side", lambda *arguments: found.append(arguments))
    return found


def test_only_words(calls):
    assert CliRunner().invoke(main, ["compare", "HEAD", "exp"]).output == "# From HEAD to exp\n"
    assert not calls


def test_with_a_page(calls, tmp_path):
    shown = CliRunner().invoke(main, ["compare", "HEAD", "exp", "--rows", str(tmp_path / "rows.html")])
    assert shown.exit_code == 0, shown.output
    assert calls == [("HEAD", "exp", tmp_path / "rows.html")]
