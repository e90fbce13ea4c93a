"""The page that `dvc plots` fills."""

import re

import pytest


def test_it_has_the_libraries_inside_and_a_place_for_the_plots(tmp_path):
    pytest.importorskip("vl_convert", reason="needs the extra plots")
    from pipeline.report.page.dvc_page import write_page

    write_page(tmp_path / "plots.html")
    page = (tmp_path / "plots.html").read_text()
    assert page.count("{plot_divs}") == 1
    assert "vegaEmbed" in page
    assert not re.search(r"<script[^>]+src=", page)
