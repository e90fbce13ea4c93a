"""Accuracy and speed of calibration and triangulation against OpenCV, PoseLib, pycolmap, aniposelib and Pose2Sim.

    python -m bench.geometry [--motion FILE.npz] [--detections FILE.npz | DATA] [--quick] [--json FILE]

Everything is simulated: people in front of rigs like Human3.6M's, with noise and gross outliers, so that the truth is
known. Libraries that are not installed are skipped: `pip install .[bench]` brings pycolmap, `make bench-peers` an
environment with aniposelib and Pose2Sim.
"""

import argparse
import json
from pathlib import Path

import cv2
from threadpoolctl import threadpool_limits

from bench.geometry import (
    adjustment,
    detections,
    focal_length,
    known_rig,
    pooled,
    single_frames,
    uncertainty,
    undistortion,
)
from bench.geometry.simulation import Scenes, read_motion, synthetic_motion
from bench.geometry.sizes import FULL, QUICK, Sizes
from bench.peers import remote

SEED = 1


def main(motion: Path | None, sizes: Sizes, target: Path | None, real: Path | None = None) -> None:
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        figures = measure(motion, sizes)
        if real is not None:
            detections.run(real)
    if target is not None:
        target.write_text(json.dumps(figures, indent=2) + "\n")


def measure(motion: Path | None, sizes: Sizes) -> dict[str, float]:
    """Print all tables and return the figures of the summary."""
    people = synthetic_motion(sizes.people, seconds=20.0) if motion is None else read_motion(motion)
    print(f"Motion: {motion or 'synthetic'}, {len(people)} people.")
    if not remote.available():
        print("aniposelib and Pose2Sim are skipped: make bench-peers installs them.")
    scenes = Scenes(people, SEED)
    figures: dict[str, float] = {}
    for part in (single_frames, pooled, focal_length, uncertainty, adjustment, known_rig, undistortion):
        figures |= part.run(scenes, sizes)
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--motion", type=Path, help="3D motion to render instead of synthetic people; see docs/geometry.md"
    )
    parser.add_argument("--detections", type=Path, help="real 2D detections to calibrate from; see docs/geometry.md")
    parser.add_argument("--quick", action="store_true", help="end within a minute")
    parser.add_argument("--json", type=Path, help="write the summary's figures here")
    arguments = parser.parse_args()
    main(arguments.motion, QUICK if arguments.quick else FULL, arguments.json, arguments.detections)
