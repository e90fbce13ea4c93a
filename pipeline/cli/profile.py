"""`epiline profile`: the values of a profile for params.yaml."""

from pathlib import Path

import click

from pipeline.params.file import PARAMS
from pipeline.params.profile import apply_profile


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def profile(file: Path) -> None:
    """Write the values of a profile, such as profiles/tiny.yaml, into ./params.yaml; its comments are kept."""
    apply_profile(file, PARAMS)
    click.echo(f"{PARAMS}: values of {file}")
