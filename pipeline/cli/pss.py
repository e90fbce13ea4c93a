"""`epiline pss`: references of the pose structure score."""

from pathlib import Path

import click

from pipeline.pss.references import read_references
from pipeline.pss.sources import labels_and_truth
from pipeline.pss.stability import own_runs, random_runs, stability

SHOWN = ("k", "n_poses", "source", "capture", "seed", "inertia", "centring", "orientation", "size", "sha256")
PATH = click.Path(path_type=Path)


@click.group()
def pss() -> None:
    """Inspect references of the pose structure score (PSS)."""


@pss.command()
@click.argument("reference", type=PATH, default=Path("models/pss.npz"))
def show(reference: Path) -> None:
    """Print how the references were fitted."""
    for fitted in read_references(reference):
        for key in SHOWN:
            click.echo(f"{key:12} {fitted.metadata[key]}")
        click.echo()


@pss.command("stability")
@click.argument("frames", type=PATH, default=Path("data/frames"))
@click.argument("labels", type=PATH, default=Path("data/labels.zarr"))
@click.argument("rigs", type=PATH, default=Path("data/rigs.zarr"))
@click.option("--k", type=click.IntRange(2), multiple=True, default=(50, 100), show_default=True)
@click.option("--runs", type=click.IntRange(2), default=100, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True)
def study(frames: Path, labels: Path, rigs: Path, k: tuple[int, ...], runs: int, seed: int) -> None:
    """Repeat the paper's study of stability.

    The true poses of a capture are clustered many times, and the labels are scored each time.
    """
    predicted, true = labels_and_truth(frames, labels, rigs)
    click.echo(f"{len(true):,} poses, {runs} runs; the paper: IoU 0.78, mPSS +-0.1")
    click.echo(f"{'k':>4} {'initialised':12} {'IoU':>6} {'mPSS, %':>8} {'std':>6} {'lowest':>7} {'highest':>8}")
    for n in k:
        for name, fit in (("at random", random_runs), ("as here", own_runs)):
            found = stability(fit(true, n, runs, seed), runs, predicted, true)
            low, middle, high = found.mpss.min(), found.mpss.mean(), found.mpss.max()
            spread = f"{middle:8.2f} {found.mpss.std():6.2f} {low:7.2f} {high:8.2f}"
            click.echo(f"{n:4} {name:12} {found.iou.mean():6.3f} {spread}")
