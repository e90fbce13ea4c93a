"""Detect 2D poses in every packed frame with the frozen detector."""

from pathlib import Path

from pipeline.labels.detect import detect_capture
from pipeline.params.file import read_params
from pipeline.stage import run


def main(frames: Path, weights: Path, poses2d: Path) -> None:
    params = read_params()
    detect_capture(frames, weights, poses2d, params.detect)


if __name__ == "__main__":
    run(main)
