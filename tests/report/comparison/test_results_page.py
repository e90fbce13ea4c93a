"""The papers' tables in the documentation."""

import pytest

from pipeline.errors import UserError
from pipeline.params.file import read_params
from pipeline.report.comparison.results_page import BEGIN, END, write_tables
from tests.house.imports import ROOT

PARAMS = read_params(ROOT / "params.yaml")


def test_tables_are_written_between_the_marks(tmp_path):
    page, metrics = tmp_path / "results.md", tmp_path / "metrics.json"
    metrics.write_text('{"labels": {"n_mpjpe_mm": 12.34}}')
    page.write_text(f"before\n{BEGIN}\noutdated\n{END}\nafter\n")
    write_tables(metrics, PARAMS, page)
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "12.34" in text
    assert "outdated" not in text


def test_a_page_without_marks_is_refused(tmp_path):
    page, metrics = tmp_path / "results.md", tmp_path / "metrics.json"
    metrics.write_text("{}")
    page.write_text("no place")
    with pytest.raises(UserError, match="no place for the tables"):
        write_tables(metrics, PARAMS, page)
