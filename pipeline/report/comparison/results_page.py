"""Writes the papers' tables, with a run's figures, into a page of the documentation (`epiline dev results-tables`)."""

import json
from pathlib import Path

from pipeline.errors import UserError
from pipeline.params.file import Params
from pipeline.report.sections.papers import paper_tables

BEGIN, END = "<!-- papers: written by epiline dev results-tables -->", "<!-- end of papers -->"


def write_tables(metrics: Path, params: Params, page: Path) -> None:
    """Write the tables between the markers of a page, with the figures of a metrics.json and the parameters of its run.

    Raises UserError if the page has no markers.
    """
    tables = paper_tables(json.loads(metrics.read_text()), params)
    text = "\n\n".join(f"### {table.title}\n\n{table.markdown()}" for table in tables)
    before, _, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise UserError(f"{page} has no place for the tables: {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{end}{after}")
