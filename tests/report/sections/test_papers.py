"""The papers' tables beside a run's figures."""

import pytest

from pipeline.errors import UserError
from pipeline.report.comparison.results_page import BEGIN, END, write_tables
from pipeline.report.sections.papers import LABELS, NETWORKS, paper_section, paper_tables
from tests.house.imports import ROOT

FIGURES = {"labels": {"n_mpjpe_mm": 73.5, "pa_mpjpe_mm": 64.9, "pss50": 68.4}, "test": {"n_mpjpe_mm": 72.8}}


def test_a_run_stands_below_the_papers_and_only_where_it_was_measured():
    labels, networks = paper_tables(FIGURES)[1:]
    assert labels.rows[-1][1:] == ("–", "73.50", "64.90", "68.40", "–")
    assert labels.marked == networks.marked == 1  # neither known cameras nor an unseen view were measured
    assert len(labels.rows) == len(LABELS) + 1
    assert len(networks.rows) == len(NETWORKS) + 1
    assert labels.markdown().splitlines()[-1].startswith("| **this run")


def test_without_truth_there_is_nothing_to_put_beside():
    assert not paper_section({"labels": {"coverage": 90.0}, "test_labels": {"n_mpjpe_mm": 60.0}}).blocks


def test_the_documentation_has_the_papers_figures_as_the_report_has_them():
    page = (ROOT / "docs/results.md").read_text()
    for table in paper_tables({}):
        for line in table.markdown().splitlines():
            assert line in page, (
                "Mend it with: epiline dev results-tables reports/metrics.json docs/results.md"
            )


def test_tables_are_written_between_the_marks(tmp_path):
    page, metrics = tmp_path / "results.md", tmp_path / "metrics.json"
    metrics.write_text('{"labels": {"n_mpjpe_mm": 12.34}}')
    page.write_text(f"before\n{BEGIN}\noutdated\n{END}\nafter\n")
    write_tables(metrics, page)
    reported = page.read_text()
    assert reported.startswith(f"before\n{BEGIN}\n")
    assert reported.endswith(f"{END}\nafter\n")
    assert "12.34" in reported
    assert "outdated" not in reported
    page.write_text("no place")
    with pytest.raises(UserError, match="no place for the tables"):
        write_tables(metrics, page)
