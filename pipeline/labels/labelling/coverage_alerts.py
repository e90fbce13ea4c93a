"""Alerts about recordings many of whose joints have no label, and about sides that nothing decides."""

from collections.abc import Mapping

import numpy as np

from pipeline.alerts import Alert
from pipeline.geometry.triangulation.labelling import Status

FEW, VERY_FEW = 0.8, 0.5  # share of the joints with a label
MAX_REASONS = 3  # named in the evidence
UNDECIDED, MOSTLY_UNDECIDED = 0.01, 0.1  # share of the joints that nothing decides to be left or right ones
# What to do about a frequent reason.
MENDS = {
    Status.TOO_FEW_VIEWS: "Let more cameras see the whole person.",
    Status.TOO_FEW_AGREE: "Check the calibration and the synchronisation of the videos, or use another detector.",
    Status.UNDETERMINED: "Place the cameras at larger angles to each other.",
    Status.VIEWS_DISAGREE: "Check that only one person is in view, and the synchronisation of the videos.",
    Status.AMBIGUOUS_PERSON: "Film one person at a time.",
    Status.OTHER_PERSON: "Film one person at a time.",
    Status.AMBIGUOUS_SIDES: "Use three or more cameras.",
}


def coverage_alerts(joints: Mapping[str, np.ndarray]) -> list[Alert]:
    """Alerts for each recording with few labels and undecided sides; `joints` are its numbers of joints by Status."""
    few = [_few_labels(name, counts) for name, counts in joints.items() if _share(counts) < FEW]
    unsided = [(name, _share(counts, Status.AMBIGUOUS_SIDES)) for name, counts in joints.items()]
    return few + [_undecided_sides(name, share) for name, share in unsided if share > UNDECIDED]


def _share(counts: np.ndarray, status: Status = Status.VALID) -> float:
    return float(counts[status] / max(counts.sum(), 1))


def _undecided_sides(name: str, share: float) -> Alert:
    return Alert(
        kind="undecided_sides", severity="warning" if share > MOSTLY_UNDECIDED else "note", subject=name,
        message="two views alone do not decide which joints are left and which are right; these have no label",
        evidence=f"{100 * share:.0f} % of the joints", mend=MENDS[Status.AMBIGUOUS_SIDES],
    )  # fmt: skip


def _few_labels(name: str, counts: np.ndarray) -> Alert:
    reasons = sorted((s for s in Status if s != Status.VALID and counts[s]), key=lambda s: -counts[s])
    shares = [f"{100 * counts[s] / counts.sum():.0f} % {s.name.lower().replace('_', ' ')}" for s in reasons]
    return Alert(
        kind="few_labels", severity="warning" if _share(counts) < VERY_FEW else "note", subject=name,
        message=f"only {100 * _share(counts):.0f} % of the joints have a label",
        evidence=", ".join(shares[:MAX_REASONS]), mend=MENDS.get(reasons[0], ""),
    )  # fmt: skip
