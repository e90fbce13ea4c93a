"""The parts of a page."""

import pytest

from pipeline.report.page.blocks import Table, number, percent


def test_the_lines_of_this_run_are_bold_in_markdown():
    table = Table("Errors", ("", "mm"), [("paper", "1"), ("this run", "2")], marked=1)
    assert table.markdown() == "|  | mm |\n| --- | ---: |\n| paper | 1 |\n| **this run** | **2** |"


def test_tables_with_many_columns_are_wide():
    assert Table("", [""] * 5, []).wide
    assert not Table("", [""] * 4, []).wide
    assert Table("", [""] * 4, [], words=True).wide


@pytest.mark.parametrize(("value", "text"), [(1234.56, "1,234.6"), (None, "–"), (float("nan"), "–"), (0.0, "0.0")])
def test_numbers(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(100.0, "100.0"), (99.97, "99.9"), (0.01, "<0.1"), (0.0, "0.0"), (None, "–")]
)
def test_only_exact_shares_are_0_or_100(value, text):
    assert percent(value) == text
