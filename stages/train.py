"""Train the 3D network on the labels and predict every view of the test recordings."""

from pathlib import Path

from pipeline.learning.supervision import CapturePaths
from pipeline.learning.train import train_network
from pipeline.params.file import read_params
from pipeline.stage import run


def main(
    frames: Path, poses2d: Path, rigs: Path, labels: Path, detector: Path, model: Path, predictions: Path, curve: Path
) -> None:
    params = read_params()
    train_network(CapturePaths(frames, labels, rigs), poses2d, detector, model, predictions, curve, params.train)


if __name__ == "__main__":
    run(main)
