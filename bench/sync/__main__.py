"""How well cameras that do not run in step are synchronised from the people, and what that does to rig and labels.

    python -m bench.sync [--data FOLDER] [--quick] [--json FILE]

Simulated takes of ten seconds at 30 frames per second, in four views that are up to two seconds late, without given
extrinsics: motion of CMU before cameras of Human3.6M where FOLDER has `cmu/motion.npz` and `camera_rigs.npz`,
otherwise animated people; detections with the errors of a real detector and 5 % outliers. With FOLDER, also the real
take of Pose2Sim, of which one view is shifted by seven frames, and which is halved with two views on the other frames.
"""

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from bench.sync.real import real_figures
from bench.sync.takes import FPS, MAX_OFFSET_S, Scene, animated_scenes, cmu_scenes, take_out_of_step
from bench.trust.runs import FoundRig, Outcome, calibrate_take
from bench.trust.takes.take import Take
from pipeline.geometry.align import rig_error

QUICK_SCENES, FULL_SCENES = 4, 12


@dataclass(frozen=True)
class Result:
    """What became of a scene out of step, and in step."""

    errors: np.ndarray  # (n,) of offsets, in frames
    stds: np.ndarray  # (n,)
    n_not_found: int  # views that were left out
    rig: tuple[float, float]  # rotation error in degrees, position error in mm
    rig_in_step: tuple[float, float]


def main(data: Path | None, *, quick: bool, target: Path | None) -> dict[str, float]:
    """Print all tables, write and return the figures."""
    os.environ.setdefault("EPILINE_WORKERS", "0")  # tasks are too small for processes of their own
    n = QUICK_SCENES if quick else FULL_SCENES
    with threadpool_limits(1):
        figures = summary([measure(scene, seed) for seed, scene in enumerate(_scenes(data, n))])
        if data is not None:
            figures |= real_figures(data)
    print(f"\n{json.dumps(figures, indent=2)}")
    if target is not None:
        target.write_text(json.dumps(figures, indent=2) + "\n")
    return figures


def _scenes(data: Path | None, n: int) -> list[Scene]:
    return list(animated_scenes(n) if data is None else cmu_scenes(data, n))


def measure(scene: Scene, seed: int) -> Result:
    """Calibrate a scene out of step and in step, and print a line."""
    late = np.random.default_rng([seed, 23]).uniform(0, MAX_OFFSET_S * FPS, len(scene.cameras))
    take = take_out_of_step(scene, late.tolist(), seed)
    in_step = take_out_of_step(scene, [0.0] * len(late), seed)
    outcome, usual = calibrate_take(take), calibrate_take(in_step)
    errors, stds, n_not_found = offset_errors(outcome, late)
    result = Result(errors, stds, n_not_found, error_of_rig(outcome, take), error_of_rig(usual, in_step))
    print(
        f"{scene.name:<14} offsets {np.array2string(late, precision=1):<26} errors"
        f" {np.array2string(errors, precision=2, suppress_small=True):<22} stds"
        f" {np.array2string(stds, precision=2):<20}"
        f" rig {result.rig[0]:5.2f} deg, in step {result.rig_in_step[0]:5.2f} deg {outcome.refused or ''}", flush=True,
    )  # fmt: skip
    return result


def offset_errors(outcome: Outcome, late: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Errors and standard deviations of the offsets, in frames, and the number of views without one.

    Offsets are against the mean of the views with the first one's time.
    """
    if outcome.rig is None:
        return np.zeros(0), np.zeros(0), len(late)
    times, known = outcome.rig.record.times, np.isfinite(outcome.rig.centers_mm).all(-1)
    found = np.array([time.offsets[0] for time in times])
    others = known & (found != 0)
    reference = known & (found == 0)
    errors = found - (late - late[reference].mean())
    stds = np.array([np.nan if time.std is None else time.std for time in times])
    return errors[others], stds[others], int((~known).sum())


def error_of_rig(outcome: Outcome, take: Take) -> tuple[float, float]:
    """The error of rotations in degrees and of centres in mm, after a similarity; infinite without a rig."""
    assert take.truth is not None
    rig: FoundRig | None = outcome.rig
    if rig is None or not np.isfinite(rig.centers_mm).all():
        return np.inf, np.inf
    R = np.stack([camera.R_cam_from_world for camera in take.truth.cameras])
    centers = np.stack([camera.center_world_mm for camera in take.truth.cameras])
    return rig_error(rig.R, rig.centers_mm, R, centers)


def summary(results: list[Result]) -> dict[str, float]:
    """The figures of all scenes."""
    errors, stds = (np.concatenate([getattr(r, name) for r in results]) for name in ("errors", "stds"))
    ours, usual = (np.array([getattr(r, name)[0] for r in results]) for name in ("rig", "rig_in_step"))
    both = np.isfinite(ours) & np.isfinite(usual)
    return {
        "offset_median_frames": round(float(np.median(np.abs(errors))), 3),
        "offset_p95_frames": round(float(np.percentile(np.abs(errors), 95)), 3),
        "offset_squared_error_over_variance": round(float(np.mean((errors / stds) ** 2)), 3),
        "offsets_not_found": sum(r.n_not_found for r in results),
        "rig_over_synchronous": round(float(np.sqrt((ours[both] ** 2).mean() / (usual[both] ** 2).mean())), 3),
        "rigs_not_found": int((np.isfinite(usual) & ~np.isfinite(ours)).sum()),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with motion, cameras and real footage")
    parser.add_argument("--quick", action="store_true", help="few takes")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    main(arguments.data, quick=arguments.quick, target=arguments.json)
