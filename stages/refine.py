"""Train the refinement unit, where it is wanted, and refine the predictions of the test recordings."""

from pathlib import Path

from pipeline.learning.refine import refine_predictions
from pipeline.learning.teachers import Sources
from pipeline.params import read_params
from pipeline.stage import run


def main(
    frames: Path, poses2d: Path, rigs: Path, labels: Path, detector: Path, model: Path, predictions: Path,
    refiner: Path, refined: Path, figures: Path, curve: Path,
) -> None:  # fmt: skip
    params = read_params()
    sources = Sources(frames, labels, rigs)
    refine_predictions(
        sources, poses2d, detector, model, predictions, refiner, refined, figures, curve, params.refine, params.train
    )


if __name__ == "__main__":
    run(main)
