"""Detect 2D poses in every packed frame with the frozen detector, read them from files, or project the truth."""

from pathlib import Path

from pipeline.labels.detect import detect_capture
from pipeline.labels.poses2d.files import import_poses2d
from pipeline.labels.poses2d.true_poses import project_truth
from pipeline.params.detect import DetectParams
from pipeline.params.settings import read_settings
from pipeline.stage import run


def main(settings: Path, frames: Path, weights: Path, files: Path, poses2d: Path) -> None:
    params = read_settings(settings, "detect", DetectParams)
    if params.detector == "gt2d":
        project_truth(frames, poses2d, params.gt2d)
    elif params.detector == "files":
        import_poses2d(frames, files, poses2d, params)
    else:
        detect_capture(frames, weights, poses2d, params)


if __name__ == "__main__":
    run(main)
