"""The real take of Pose2Sim out of step: one view shifted by seven frames, and halved with two views on odd frames."""

from pathlib import Path

import numpy as np

from bench.trust.runs import Outcome, run_take
from bench.trust.takes.footage import read_openpose
from bench.trust.takes.take import Take
from pipeline.geometry.align import align
from pipeline.skeleton import LIMB_JOINTS

SHIFT, SHIFTED_VIEW = 7, 2
ODD_VIEWS = (1, 3)


def real_figures(data: Path) -> dict[str, float]:
    """Errors of the offsets in frames, and distances of the labels from those in step in mm; prints both."""
    take = read_openpose(data / "pose2sim" / "single.npz", data / "pose2sim" / "single.npz")
    figures: dict[str, float] = {}
    for name, (late, usual, expected) in {"shifted": shifted(take), "halved": halved(take)}.items():
        outcome, in_step = run_take(late), run_take(usual)
        error = offset_error(outcome, np.array(expected))
        distance = label_distance(outcome, in_step)
        print(f"Pose2Sim, {name}: offset error {error:.3f} frames, labels {distance:.2f} mm from those in step")
        figures |= {f"real_{name}_frames": round(error, 3), f"real_{name}_labels_mm": round(distance, 2)}
    return figures


def shifted(take: Take) -> tuple[Take, Take, list[float]]:
    """One view shows everything some frames late; the take in step; the offsets."""
    rows = np.arange(SHIFT, take.recording.n_frames)
    usual = take.frames_taken(rows)
    arrays = {name: values.copy() for name, values in usual.arrays.items()}
    for name, values in arrays.items():
        values[:, SHIFTED_VIEW] = take.arrays[name][rows - SHIFT, SHIFTED_VIEW]
    return usual.with_arrays(arrays), usual, [SHIFT * float(v == SHIFTED_VIEW) for v in range(take.n_views)]


def halved(take: Take) -> tuple[Take, Take, list[float]]:
    """Every other frame, in some views the odd ones: they show everything half a frame early; the take in step."""
    rows = np.arange(0, take.recording.n_frames - 1, 2)
    usual = take.frames_taken(rows)
    arrays = {name: values.copy() for name, values in usual.arrays.items()}
    for name, values in arrays.items():
        for v in ODD_VIEWS:
            values[:, v] = take.arrays[name][rows + 1, v]
    late = usual.with_arrays(arrays)
    fps = {"fps": take.recording.fps / 2}
    halves = [Take(t.recording.model_copy(update=fps), t.arrays, t.truth) for t in (late, usual)]
    return halves[0], halves[1], [-0.5 * float(v in ODD_VIEWS) for v in range(take.n_views)]


def offset_error(outcome: Outcome, expected: np.ndarray) -> float:
    """The largest error of an offset against the first view, in frames."""
    if outcome.rig is None:
        return float("inf")
    found = np.array([time.offsets[0] for time in outcome.rig.record.times])
    return float(np.abs((found - found[0]) - (expected - expected[0])).max())


def label_distance(outcome: Outcome, in_step: Outcome) -> float:
    """The median distance in mm of the limb joints' labels from those in step, after a similarity."""
    if outcome.joints_world_mm is None or in_step.joints_world_mm is None:
        return float("inf")
    a, b = (one.joints_world_mm[:, LIMB_JOINTS].reshape(-1, 3) for one in (outcome, in_step))
    both = np.isfinite(a).all(-1) & np.isfinite(b).all(-1)
    return float(np.median(np.linalg.norm(align(a[both], b[both]) - b[both], axis=-1)))
