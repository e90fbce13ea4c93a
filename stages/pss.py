"""Fit the references of the pose structure score."""

from pathlib import Path

from pipeline.params.file import read_params
from pipeline.pss import fit_references
from pipeline.stage import run


def main(frames: Path, labels: Path, structure: Path) -> None:
    params = read_params()
    fit_references(frames, labels, structure, params.pss)


if __name__ == "__main__":
    run(main)
