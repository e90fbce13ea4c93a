"""Train the refinement unit on truth or labels and refine the predictions of the test recordings."""

from pathlib import Path

from pipeline.learning.refinement.refine import refine_predictions
from pipeline.learning.supervision import CapturePaths
from pipeline.params.file import read_params
from pipeline.params.refine import RefineSource
from pipeline.stage import run


def main(
    source: RefineSource, frames: Path, poses2d: Path, rigs: Path, labels: Path, detector: Path, model: Path,
    predictions: Path, refiner: Path, refined: Path, figures: Path, curve: Path,
) -> None:  # fmt: skip
    params = read_params()
    paths = CapturePaths(frames, labels, rigs)
    refine_predictions(
        source, paths, poses2d, detector, model, predictions, refiner, refined, figures, curve,
        params.refine, params.train,
    )  # fmt: skip


if __name__ == "__main__":
    run(main)
