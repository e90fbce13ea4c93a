"""Find the cameras of every rig from the detected people."""

from pathlib import Path

from pipeline.labels.calibrate import calibrate_capture
from pipeline.params.file import read_params
from pipeline.stage import run


def main(frames: Path, poses2d: Path, rigs: Path) -> None:
    params = read_params()
    calibrate_capture(frames, poses2d, rigs, params.calibrate)


if __name__ == "__main__":
    run(main)
