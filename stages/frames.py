"""Decode the videos and pack every n-th frame for random access."""

from pathlib import Path

from pipeline.params.frames import FramesParams
from pipeline.params.settings import read_settings
from pipeline.stage import run
from pipeline.video.extraction import extract_frames


def main(settings: Path, capture: Path, frames: Path) -> None:
    params = read_settings(settings, "frames", FramesParams)
    extract_frames(capture, frames, params)


if __name__ == "__main__":
    run(main)
