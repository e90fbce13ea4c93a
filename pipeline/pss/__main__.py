"""Ask about the references of the pose structure score: python -m pipeline.pss --help."""

import logging
import sys
from collections.abc import Iterable
from pathlib import Path

import click
import numpy as np

from pipeline.capture import read_capture
from pipeline.errors import UserError
from pipeline.pss.references import read_references
from pipeline.pss.sources import Piece, has_truth, label_pieces, true_pieces
from pipeline.pss.stability import own_runs, random_runs, stability

SHOWN = ("k", "n_poses", "source", "capture", "seed", "inertia", "centring", "orientation", "size", "sha256")


@click.group()
def main() -> None:
    """Ask about the references of the pose structure score (PSS)."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)


@main.command()
@click.argument("structure", type=click.Path(path_type=Path), default=Path("models/pss.npz"))
def show(structure: Path) -> None:
    """Say what the references in a file are of, and where they come from."""
    for reference in read_references(structure):
        for key in SHOWN:
            click.echo(f"{key:12} {reference.metadata[key]}")
        click.echo()


@main.command("stability")
@click.argument("frames", type=click.Path(path_type=Path), default=Path("data/frames"))
@click.argument("labels", type=click.Path(path_type=Path), default=Path("data/labels.zarr"))
@click.option("--k", type=click.IntRange(2), multiple=True, default=(50, 100), show_default=True)
@click.option("--runs", type=click.IntRange(2), default=100, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True)
def study(frames: Path, labels: Path, k: tuple[int, ...], runs: int, seed: int) -> None:
    """Repeat the paper's study on a capture: cluster the true poses many times, and score the labels each time."""
    predicted, true = _labels_and_truth(frames, labels)
    click.echo(f"{len(true):,} poses, {runs} runs; the paper: IoU 0.78, mPSS +-0.1")
    click.echo(f"{'k':>4} {'started':12} {'IoU':>6} {'mPSS, %':>8} {'std':>6} {'lowest':>7} {'highest':>8}")
    for n in k:
        for name, start in (("at random", random_runs), ("as ours are", own_runs)):
            found = stability(start(true, n, runs, seed), runs, predicted, true)
            low, middle, high = found.mpss.min(), found.mpss.mean(), found.mpss.max()
            spread = f"{middle:8.2f} {found.mpss.std():6.2f} {low:7.2f} {high:8.2f}"
            click.echo(f"{n:4} {name:12} {found.iou.mean():6.3f} {spread}")


def _labels_and_truth(frames: Path, labels: Path) -> tuple[np.ndarray, np.ndarray]:
    """The training recordings' labels and the truth, (pose, joint, 3) each, of the views that have both."""
    capture = read_capture(frames)
    if not has_truth(capture, frames):
        raise UserError(f"{frames} holds no truth to score labels against", fix="Run it on the demo, or on a data set.")
    true, found = _joined(true_pieces(capture, frames)), _joined(label_pieces(capture, labels))
    seen = [key for key in true if key in found]
    return np.concatenate([found[key] for key in seen]), np.concatenate([true[key] for key in seen])


def _joined(pieces: Iterable[Piece]) -> dict[tuple[str, int], np.ndarray]:
    found: dict[tuple[str, int], list[np.ndarray]] = {}
    for recording, view, poses in pieces:
        found.setdefault((recording, view), []).append(poses)
    return {key: np.concatenate(parts) for key, parts in found.items()}


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
