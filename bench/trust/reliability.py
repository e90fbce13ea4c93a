"""Whether the stated uncertainty of labels holds: root-mean-square errors over it, by its deciles."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.trust.runs import PARAMS, Outcome, quiet, run_take
from bench.trust.takes import scenes
from bench.trust.verdicts import trimmed_alignment
from pipeline.capture import read_capture
from pipeline.capture_paths import CapturePaths
from pipeline.labels.calibrate import calibrate_capture
from pipeline.labels.triangulate import triangulate_capture
from pipeline.stores import LABELS, TRUTH, open_store

DECILES = 10


@dataclass(frozen=True)
class Reliability:
    """Errors by deciles of the stated uncertainty."""

    name: str
    stated_mm: np.ndarray  # (DECILES,) root mean squares
    error_mm: np.ndarray
    valid: float  # share of the labels

    @property
    def ratios(self) -> np.ndarray:
        """Root-mean-square error over stated deviation of each decile."""
        return self.error_mm / self.stated_mm

    def __str__(self) -> str:
        """One line of the table."""
        return (
            f"{self.name:<34} {100 * self.valid:>8.1f}  {' '.join(f'{x:>5.1f}' for x in self.stated_mm)}   "
            f"{' '.join(f'{x:>5.2f}' for x in self.ratios)}"
        )


def by_decile(name: str, error: np.ndarray, std: np.ndarray) -> Reliability:
    """Errors and stated deviations (N,) in deciles; labels without either are not valid."""
    known = np.isfinite(error) & np.isfinite(std)
    order = np.argsort(std[known], kind="stable")
    parts = [np.array_split(values[known][order], DECILES) for values in (std, error)]
    stated, errors = (np.array([np.sqrt((part**2).mean()) for part in own]) for own in parts)
    return Reliability(name, stated, errors, float(known.mean()))


def aligned_errors(labels: np.ndarray, std: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Errors and deviations (F * J,) of all joints (F, J, 3) after one similarity over the recording."""
    a, b = labels.reshape(-1, 3), truth.reshape(-1, 3)
    moved, factor = trimmed_alignment(a, b, scale=True)
    return np.linalg.norm(moved - b, axis=-1), factor * std.ravel()


def of_simulated(seeds: int, seconds: float) -> Reliability:
    """Labels of walkers in a room, whose rigs are found from them."""
    found = []
    for seed in range(seeds):
        take = scenes.room(200 + seed, seconds)
        outcome: Outcome = run_take(take, mode="rig")
        if outcome.joints_world_mm is None or outcome.uncertainty_mm is None:
            continue
        assert take.truth is not None
        assert take.truth.joints_world_mm is not None
        found.append(aligned_errors(outcome.joints_world_mm, outcome.uncertainty_mm, take.truth.joints_world_mm))
    error, std = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return by_decile("simulated walkers", error, std)


def of_capture(data: Path) -> Reliability:
    """Labels of a capture with truth whose stages up to detect have run, such as the demo's; made anew, elsewhere."""
    paths = CapturePaths(data, data, data)
    truth, found = open_store(paths.truth, TRUTH), []
    with tempfile.TemporaryDirectory() as folder, quiet():
        rigs, labels = Path(folder) / "rigs.zarr", Path(folder) / "labels.zarr"
        calibrate_capture(paths.frames, paths.poses2d, rigs, PARAMS.calibrate)
        triangulate_capture(paths.frames, paths.poses2d, rigs, labels, PARAMS.triangulate)
        store = open_store(labels, LABELS)
        for recording in read_capture(paths.frames).recordings:
            if recording.name in store:
                group, true = store[recording.name].person(0), truth[recording.name].person(0)["joints_world_mm"]
                found.append(aligned_errors(
                    np.asarray(group["joints_world_mm"], float), np.asarray(group["uncertainty_mm"], float),
                    np.asarray(true, float)))  # fmt: skip
    error, std = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return by_decile(f"{data}", error, std)


def run(capture: Path | None, *, seeds: int, seconds: float) -> dict[str, float]:
    """Print the table and return its figures."""
    print(f"\n{'labels':<34} {'valid %':>8}  stated, mm, by decile {'':<37} rms error / stated")
    found = [of_simulated(seeds, seconds)]
    print(found[0], flush=True)
    if capture is not None:
        found.append(of_capture(capture))
        print(found[1], flush=True)
    figures = {"label_rms_over_sigma_max": float(found[-1].ratios.max())}
    return figures | {"label_rms_over_sigma_min": float(found[-1].ratios.min()), "label_coverage": found[-1].valid}
