"""`epiline dev`: programs for work on the project itself, called by the Makefile or by hand."""

from pathlib import Path

import click

PATH = click.Path(path_type=Path)


@click.group()
def dev() -> None:
    """Programs for work on the project itself."""


@dev.command()
@click.argument("page", type=PATH)
def plots_template(page: Path) -> None:
    """Write the page of `dvc plots` to PAGE.

    The page holds the Vega libraries, so that it needs no network. Needs the extra `plots`.
    """
    # Imported here, as vl-convert is an extra that `results-tables` does not need.
    from pipeline.report.page.dvc_page import write_page

    write_page(page)


@dev.command()
@click.argument("metrics", type=PATH)
@click.argument("page", type=PATH)
def results_tables(metrics: Path, page: Path) -> None:
    """Write the papers' tables into PAGE.

    PAGE is docs/results.md; METRICS, usually reports/metrics.json, has the figures to print beside the papers'; they
    must come from a run with the parameters in params.yaml.
    """
    from pipeline.params.file import read_params
    from pipeline.report.comparison.results_page import write_tables

    write_tables(metrics, read_params(), page)
