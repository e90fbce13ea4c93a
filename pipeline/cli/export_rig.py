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
@click.option(
    "--capture",
    type=click.Path(path_type=Path),
    default=Path("data/capture"),
    show_default=True,
    help="The folder with the manifest of the videos.",
)
def export_rig(path: Path, form: str, recording: str | None, rigs: Path, capture: Path) -> None:
    """Write the calibrated cameras of a recording to PATH, a calibration file of another program.

    Intrinsics are those of the videos if these are still there, else those of the packed frames, which may be smaller;
    the file names the image size. An existing file is never overwritten.
    """
    written = write_rig(rigs, capture, path, form, recording)
    click.echo(f"{path}: {written}")
