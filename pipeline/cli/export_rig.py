"""`epiline export-rig`: the calibrated cameras as a calibration file of another program."""

from pathlib import Path

import click

from pipeline.formats.calibration import WRITABLE
from pipeline.formats.export_rig import export_rig as write_rig


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(WRITABLE), default="epiline", show_default=True)
@click.option("--recording", help="The recording whose rig is written; by default the first that was calibrated.")
@click.option("--rigs", type=click.Path(path_type=Path), default=Path("data/rigs.zarr"), show_default=True)
def export_rig(path: Path, form: str, recording: str | None, rigs: Path) -> None:
    """Write the calibrated cameras of a recording to PATH, a calibration file of another program.

    Intrinsics are those of the packed frames, which may be smaller than the videos; the file names their size. An
    existing file is never overwritten.
    """
    names = write_rig(rigs, path, form, recording)
    click.echo(f"{path}: {', '.join(names)}")
