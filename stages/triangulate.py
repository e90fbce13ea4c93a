"""Make 3D pose labels from the 2D poses and the rigs."""

from pathlib import Path

from pipeline.labels.triangulate import triangulate_capture
from pipeline.params.settings import read_settings
from pipeline.params.triangulate import TriangulateParams
from pipeline.stage import run


def main(settings: Path, frames: Path, poses2d: Path, rigs: Path, labels: Path) -> None:
    params = read_settings(settings, "triangulate", TriangulateParams)
    triangulate_capture(frames, poses2d, rigs, labels, params)


if __name__ == "__main__":
    run(main)
