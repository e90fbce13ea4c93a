"""Train the 3D network on the labels and predict every view of the test recordings."""

from pathlib import Path

from pipeline.capture_paths import CapturePaths
from pipeline.learning.train import train_network
from pipeline.params.settings import read_settings
from pipeline.params.train import TrainParams
from pipeline.stage import run


def main(settings: Path, data: Path, models: Path, reports: Path, weights: Path) -> None:
    params = read_settings(settings, "train", TrainParams)
    train_network(CapturePaths(data, models, reports), weights, params)


if __name__ == "__main__":
    run(main)
