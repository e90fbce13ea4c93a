"""`epiline adapt`: test-time adaptation of a lifting network."""

from pathlib import Path
from typing import Literal

import click

from pipeline.learning.lifting.adapt import LOOP
from pipeline.learning.lifting.adapt import adapt as adapt_network

PATH, COUNT = click.Path(path_type=Path), click.IntRange(min=1)


@click.command()
@click.argument("model", type=PATH)
@click.argument("frames", type=PATH)
@click.argument("poses2d", type=PATH)
@click.argument("rigs", type=PATH)
@click.argument("out", type=PATH)
@click.option("--split", type=click.Choice(["train", "test"]), default="test", show_default=True)
@click.option("--epochs", type=COUNT, default=LOOP.epochs, show_default=True, help="Passes over the recordings.")
@click.option("--batch-size", type=COUNT, default=LOOP.batch_size, show_default=True, help="Frames per step.")
@click.option("--lr", type=click.FloatRange(0, min_open=True), default=LOOP.lr, show_default=True, help="Peak rate.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=LOOP.seed, show_default=True)
def adapt(
    model: Path, frames: Path, poses2d: Path, rigs: Path, out: Path, split: Literal["train", "test"], epochs: int,
    batch_size: int, lr: float, seed: int,
) -> None:  # fmt: skip
    """Adapt a lifting network to recordings without labels, and write it and its predictions into the folder OUT.

    The losses compare the projected poses with the 2D detections of all calibrated views (Jain et al. 2022, section
    5). On the pipeline's own files:

    epiline adapt models/pose3d.pt data/frames data/poses2d.zarr data/rigs.zarr adapted
    """
    params = LOOP.model_copy(update={"epochs": epochs, "batch_size": batch_size, "lr": lr, "seed": seed})
    adapt_network(model, frames, poses2d, rigs, out, split, params)
