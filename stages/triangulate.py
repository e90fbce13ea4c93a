"""Make 3D pose labels from the 2D poses and the rigs."""

from pathlib import Path

from pipeline.labels.triangulate import triangulate_capture
from pipeline.params.file import read_params
from pipeline.stage import run


def main(frames: Path, poses2d: Path, rigs: Path, labels: Path) -> None:
    params = read_params()
    triangulate_capture(frames, poses2d, rigs, labels, params.triangulate)


if __name__ == "__main__":
    run(main)
