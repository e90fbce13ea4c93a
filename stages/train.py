"""Train the 3D network on the labels and predict every view of the test recordings."""

from pathlib import Path

from pipeline.learning.train import train_network
from pipeline.params import read_params
from pipeline.stage import run


def main(
    frames: Path, poses2d: Path, labels: Path, detector: Path, model: Path, predictions: Path, curve: Path
) -> None:
    params = read_params()
    train_network(frames, poses2d, labels, detector, model, predictions, curve, params.train)


if __name__ == "__main__":
    run(main)
