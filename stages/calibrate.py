"""Find the cameras of every rig from the detected people."""

from pathlib import Path

from pipeline.labels.calibrate import calibrate_capture
from pipeline.params.calibrate import CalibrateParams
from pipeline.params.settings import read_settings
from pipeline.stage import run


def main(settings: Path, frames: Path, poses2d: Path, rigs: Path) -> None:
    params = read_settings(settings, "calibrate", CalibrateParams)
    calibrate_capture(frames, poses2d, rigs, params)


if __name__ == "__main__":
    run(main)
