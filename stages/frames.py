"""Decode the videos and pack every n-th frame for random access."""

from pathlib import Path

from pipeline.params.file import read_params
from pipeline.stage import run
from pipeline.video.frames import extract_frames


def main(capture: Path, frames: Path) -> None:
    params = read_params()
    extract_frames(capture, frames, params.frames)


if __name__ == "__main__":
    run(main)
