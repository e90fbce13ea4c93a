"""Detect 2D poses in every packed frame with the frozen detector."""

from pathlib import Path

from pipeline.labels.detect import detect_capture
from pipeline.params.detect import DetectParams
from pipeline.params.settings import read_settings
from pipeline.stage import run


def main(settings: Path, frames: Path, weights: Path, poses2d: Path) -> None:
    params = read_settings(settings, "detect", DetectParams)
    detect_capture(frames, weights, poses2d, params)


if __name__ == "__main__":
    run(main)
