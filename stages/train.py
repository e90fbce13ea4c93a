"""Train the 3D network on the labels and predict every view of the test recordings."""

from pathlib import Path

from pipeline.learning.supervision import CapturePaths
from pipeline.learning.train import train_network
from pipeline.params.settings import read_settings
from pipeline.params.train import TrainParams
from pipeline.stage import run


def main(
    settings: Path, frames: Path, poses2d: Path, rigs: Path, labels: Path, weights: Path,
    model: Path, predictions: Path, curve: Path,
) -> None:  # fmt: skip
    params = read_settings(settings, "train", TrainParams)
    train_network(CapturePaths(frames, labels, rigs), poses2d, weights, model, predictions, curve, params)


if __name__ == "__main__":
    run(main)
