"""Train the 2D detector on rendered single images of people who are not in the capture."""

from pathlib import Path

from pipeline.datasets.rendered import render_singles
from pipeline.learning.images.pretrain import train_detector, write_placeholders
from pipeline.params.pretrain import PretrainParams
from pipeline.params.settings import has_settings, read_settings
from pipeline.stage import run


def main(settings: Path, detector: Path, curve: Path) -> None:
    if not has_settings(settings, "pretrain"):
        write_placeholders(detector, curve)
        return
    params = read_settings(settings, "pretrain", PretrainParams)
    images = render_singles(params)
    train_detector(images, params, detector, curve)


if __name__ == "__main__":
    run(main)
