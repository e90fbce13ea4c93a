"""`epiline compare`: two experiments in Markdown, and their poses side by side."""

from pathlib import Path

import click

from pipeline.report.comparison.compare import compare_experiments, write_side_by_side


@click.command()
@click.argument("before")
@click.argument("after")
@click.option("--rows", type=click.Path(path_type=Path), help="Also write a page with poses of both side by side.")
def compare(before: str, after: str, rows: Path | None) -> None:
    """Print in Markdown what changed between two experiments: parameters, figures, joints, actions, subjects, views.

    BEFORE and AFTER are names of experiments, git revisions, “workspace”, or folders that hold a breakdown.csv. An
    interval is the 95 % interval of the change over the recordings measured in both experiments. A change is called
    “better” or “worse” if its interval excludes zero.
    """
    click.echo(compare_experiments(before, after))
    if rows is not None:
        write_side_by_side(before, after, rows)
