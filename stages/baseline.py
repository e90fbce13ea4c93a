"""Make labels with the cameras given with the footage, to compare with the labels of self-calibrated cameras."""

from pathlib import Path

from pipeline.labels.known_rig_baseline import label_with_known_rig
from pipeline.params.calibrate import CalibrateParams
from pipeline.params.settings import read_settings
from pipeline.params.triangulate import TriangulateParams
from pipeline.stage import run


def main(settings: Path, frames: Path, poses2d: Path, baseline: Path) -> None:
    calibrate = read_settings(settings, "calibrate", CalibrateParams)
    triangulate = read_settings(settings, "triangulate", TriangulateParams)
    label_with_known_rig(frames, poses2d, baseline, calibrate, triangulate)


if __name__ == "__main__":
    run(main)
