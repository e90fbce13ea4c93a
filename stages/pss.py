"""Fit the references of the pose structure score."""

from pathlib import Path

from pipeline.params.pss import PssParams
from pipeline.params.settings import read_settings
from pipeline.pss import fit_references
from pipeline.stage import run


def main(settings: Path, frames: Path, labels: Path, rigs: Path, references: Path) -> None:
    params = read_settings(settings, "pss", PssParams)
    fit_references(frames, labels, rigs, references, params)


if __name__ == "__main__":
    run(main)
