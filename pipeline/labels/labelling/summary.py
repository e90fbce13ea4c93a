"""The summary of a capture's labels: counts of joints and detections by status, and doubts."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.alerts import Alert, log_alerts
from pipeline.capture import Capture, Recording
from pipeline.errors import UserError
from pipeline.geometry.triangulation.labelling import Status, ViewStatus
from pipeline.labels.labelling.coverage_alerts import coverage_alerts
from pipeline.params.triangulate import TriangulateParams
from pipeline.skeleton import JOINTS
from pipeline.stores import LabelsSummary, LabelStore, RigsSummary

log = logging.getLogger("epiline")


@dataclass(frozen=True)
class Counts:
    """Numbers of joints and of detections in some frames, by their status."""

    joints: np.ndarray  # (len(Status),)
    views: np.ndarray  # (len(ViewStatus), V, J)


def summarise(
    capture: Capture, store: LabelStore, names: list[str], counts: list[Counts], rigs: RigsSummary,
    params: TriangulateParams, found: Sequence[Alert],
) -> LabelsSummary:  # fmt: skip
    """Count joints and detections by status, and log the totals; `found` are alerts of single recordings.

    Raises UserError if no joint is valid.
    """
    total = np.sum([count.joints for count in counts], axis=0) if counts else np.zeros(len(Status), int)
    joints = {name: _of(name, names, [count.joints for count in counts]) for name in dict.fromkeys(names)}
    by_reason = _by_reason(total)
    reasons = ", ".join(f"{n} {reason.replace('_', ' ')}" for reason, n in by_reason.items()) or "none"
    if not total[Status.VALID]:
        fix = "Lower triangulate.min_confidence or min_views, or raise max_reprojection."
        raise UserError(f"No joint could be triangulated: {reasons}", where=str(store.path), fix=fix)
    views = np.sum([count.views.sum((1, 2)) for count in counts], axis=0)
    log.info(
        "Labels: %.1f %% of %d joints valid; rejected: %s; left and right swapped in %.2f %% of the detections used",
        100 * total[Status.VALID] / total.sum(), total.sum(), reasons,
        100 * views[ViewStatus.SWAPPED] / max(views[ViewStatus.SWAPPED] + views[ViewStatus.USED], 1),
    )  # fmt: skip
    alerts = [*found, *coverage_alerts(joints)]
    log_alerts(alerts)
    return LabelsSummary(
        method=params.method, params=params.model_dump(mode="json"), rigs=rigs,
        valid=int(total[Status.VALID]), rejected=by_reason,
        rejected_by_recording={name: _by_reason(own) for name, own in joints.items()},
        recordings_without_rig=[r.name for r in capture.recordings if r.name not in joints],
        statuses={s.name.lower(): int(s) for s in Status},
        view_statuses={s.name.lower(): int(s) for s in ViewStatus},
        joints=list(JOINTS),
        views_by_recording={r.name: _by_view(r, _of(r.name, names, [count.views for count in counts]))
                            for r in capture.recordings if r.name in joints},
        alerts=alerts,
    )  # fmt: skip


def _of(name: str, names: list[str], counts: list[np.ndarray]) -> np.ndarray:
    total: np.ndarray = np.sum([count for owner, count in zip(names, counts, strict=True) if owner == name], axis=0)
    return total


def _by_reason(joints: np.ndarray) -> dict[str, int]:
    return {s.name.lower(): int(joints[s]) for s in Status if s != Status.VALID and joints[s]}


def _by_view(recording: Recording, counts: np.ndarray) -> dict[str, dict[str, list[int]]]:
    """Numbers of detections of each joint by view and ViewStatus, from (len(ViewStatus), V, J)."""
    return {
        view.name: {s.name.lower(): counts[s, v].tolist() for s in ViewStatus if counts[s, v].any()}
        for v, view in enumerate(recording.views)
    }
