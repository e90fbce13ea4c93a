"""`epiline export-rig`: the calibrated cameras as a calibration file of another program."""

from pathlib import Path

import click

from pipeline.formats.calibration_writers import FORMATS
from pipeline.formats.export_rig import export_rig as write_rig


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="epiline", show_default=True)
@click.option("--recording", help="The recording whose rig is written; by default the first that was calibrated.")
@click.option("--data", type=click.Path(path_type=Path), default=Path("data"), show_default=True)
def export_rig(path: Path, form: str, recording: str | None, data: Path) -> None:
    """Write the calibrated cameras of a recording to PATH, a calibration file of another program."""
    names = write_rig(data, path, form, recording)
    click.echo(f"{path}: {', '.join(names)}")
