"""Fit the references of the pose structure score."""

from pathlib import Path

from pipeline.params import read_params
from pipeline.stage import run
from pipeline.structure import fit_references


def main(frames: Path, labels: Path, structure: Path) -> None:
    params = read_params()
    fit_references(frames, labels, structure, params.structure)


if __name__ == "__main__":
    run(main)
