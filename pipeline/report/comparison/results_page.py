"""Writes the papers' tables, with a run's figures, between the marks of a page of the documentation.

python -m pipeline.report.comparison.results_page reports/metrics.json docs/results.md
"""

import json
import sys
from pathlib import Path

from pipeline.errors import UserError
from pipeline.report.sections.papers import paper_tables

BEGIN, END = "<!-- papers: written by pipeline.report.comparison.results_page -->", "<!-- end of papers -->"


def write_tables(metrics: Path, page: Path) -> None:
    """Put the tables with the figures of a metrics.json between the marks of a page of the documentation."""
    tables = paper_tables(json.loads(metrics.read_text()))
    text = "\n\n".join(f"### {table.title}\n\n{table.markdown()}" for table in tables)
    before, _, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise UserError(f"{page} has no place for the tables: {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{end}{after}")


if __name__ == "__main__":
    try:
        write_tables(Path(sys.argv[1]), Path(sys.argv[2]))
    except UserError as error:
        sys.exit(str(error))
