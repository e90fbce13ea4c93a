"""Train the 2D detector on rendered single images of people who are not in the capture."""

from pathlib import Path

from pipeline.datasets.rendered import render_singles
from pipeline.learning.images.pretrain import train_detector
from pipeline.params.file import read_params
from pipeline.stage import run


def main(detector: Path, curve: Path) -> None:
    params = read_params()
    images = render_singles(params.pretrain)
    train_detector(images, params.pretrain, detector, curve)


if __name__ == "__main__":
    run(main)
