"""Whether the stated uncertainty of labels holds: root-mean-square errors over it, by tenths of it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.trust.runs import PARAMS, Outcome, quiet, run_take
from bench.trust.takes import scenes
from pipeline.capture import read_capture
from pipeline.capture_paths import CapturePaths
from pipeline.labels.calibrate import calibrate_capture
from pipeline.labels.triangulate import triangulate_capture
from pipeline.report.data.reliability import Reliability, aligned_errors, by_tenths
from pipeline.stores import LABELS, TRUTH, open_store


@dataclass(frozen=True)
class LabelReliability:
    """What is stated and found for the labels of a data set, and the share of valid labels."""

    name: str
    found: Reliability
    valid: float

    def __str__(self) -> str:
        """One line of the table."""
        return (
            f"{self.name:<34} {100 * self.valid:>8.1f}  {' '.join(f'{x:>5.1f}' for x in self.found.stated)}   "
            f"{' '.join(f'{x:>5.2f}' for x in self.found.ratios)}"
        )


def _over_all(name: str, parts: list[tuple[np.ndarray, np.ndarray]]) -> LabelReliability:
    """The reliability over all recordings, from their stated deviations and errors."""
    stated, errors = (np.concatenate(values) for values in zip(*parts, strict=True))
    found = by_tenths(stated, errors, "mm")
    assert found is not None
    return LabelReliability(name, found, float((np.isfinite(stated) & np.isfinite(errors)).mean()))


def of_simulated(seeds: int, seconds: float) -> LabelReliability:
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
    return _over_all("simulated walkers", found)


def of_capture(data: Path) -> LabelReliability:
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
    return _over_all(f"{data}", found)


def run(capture: Path | None, *, seeds: int, seconds: float) -> dict[str, float]:
    """Print the table and return its figures."""
    print(f"\n{'labels':<34} {'valid %':>8}  stated, mm, by tenth {'':<37} rms error / stated")
    found = [of_simulated(seeds, seconds)]
    print(found[0], flush=True)
    if capture is not None:
        found.append(of_capture(capture))
        print(found[1], flush=True)
    last = found[-1]
    return {
        "label_rms_over_sigma_max": float(last.found.ratios.max()),
        "label_rms_over_sigma_min": float(last.found.ratios.min()),
        "label_coverage": last.valid,
    }
