"""`epiline dev`: the programs that write parts of the project."""

import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from pipeline.report.comparison.results_page import BEGIN, END


def run(*arguments):
    return CliRunner().invoke(main, ["dev", *map(str, arguments)])


def test_results_tables(tmp_path):
    metrics, page = tmp_path / "metrics.json", tmp_path / "results.md"
    metrics.write_text('{"labels": {"n_mpjpe_mm": 12.34}}')
    page.write_text(f"{BEGIN}\n{END}\n")
    assert run("results-tables", metrics, page).exit_code == 0
    assert "12.34" in page.read_text()


def test_plots_template(tmp_path):
    pytest.importorskip("vl_convert")
    assert run("plots-template", tmp_path / "plots.html").exit_code == 0
    page = (tmp_path / "plots.html").read_text()
    assert "{plot_divs}" in page
    assert "<script src" not in page
