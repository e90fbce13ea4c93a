"""What the views of a pool of recordings share before their calibration: a record, a line of the log, and alerts."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np

from pipeline.alerts import Alert, Severity
from pipeline.capture import Recording
from pipeline.geometry.verification.view_graph import view_graph
from pipeline.labels.observations import assumed_cameras, observe_pool
from pipeline.labels.rig_result import CalibrationResult, Refused, subject_of
from pipeline.params.calibrate import CalibrateParams
from pipeline.stores import Mode, PairRecord, ViewGraphRecord

log = logging.getLogger("epiline")
MAX_LOGGED = 6  # pairs of views, those that share the least; so many has a rig of four
MEND = (
    "Let the same person be seen by this view and by two others at the same time, with a confidence that"
    " calibrate.min_confidence accepts."
)


def graph_of_views(pool: Sequence[Recording], poses2d: Path, params: CalibrateParams) -> ViewGraphRecord:
    """Count what each pair of labelling views of a pool shares."""
    _, points_norm, sigma = observe_pool(
        pool, poses2d, ignore_distortion=params.ignore_distortion, min_confidence=params.min_confidence
    )
    labelling = pool[0].view_indices(for_labels=True)
    cameras = assumed_cameras(pool[0], ignore_distortion=params.ignore_distortion)
    rays = np.concatenate([points_norm, np.ones_like(points_norm[..., :1])], -1)
    px = np.stack([cameras[v].project_cam(rays[:, :, v]) for v in labelling], 2)
    graph = view_graph(px, np.isfinite(sigma[:, :, labelling]), np.array([cameras[v].size_px for v in labelling]))
    names = [pool[0].views[v].name for v in labelling]
    spread = np.nan_to_num(graph.spread)
    pairs = [
        PairRecord(
            views=(names[a], names[b]), points=int(graph.points[a, b]), frames=int(graph.frames[a, b]),
            spread=(float(spread[a, b]), float(spread[b, a])),
        )
        for a, b in combinations(range(len(names)), 2)
    ]  # fmt: skip
    return ViewGraphRecord(
        pairs=pairs, isolated=[names[v] for v in np.flatnonzero(graph.isolated)],
        bridged={names[v]: names[graph.bridge[v]] for v in np.flatnonzero(graph.bridge >= 0)},
    )  # fmt: skip


def poorest_first(pairs: Sequence[PairRecord]) -> list[PairRecord]:
    """The pairs of views, those that share the fewest points first."""
    return sorted(pairs, key=lambda pair: pair.points)


def log_graph(pool: Sequence[Recording], graph: ViewGraphRecord) -> None:
    """Log the pairs of views that share the least, as one line."""
    shown = [
        f"{' - '.join(pair.views)} {pair.points:,} / {pair.frames:,} / {_percent(pair)}"
        for pair in poorest_first(graph.pairs)[:MAX_LOGGED]
    ]
    n_more = len(graph.pairs) - len(shown)
    log.info(
        "%s: what pairs of views share (points / frames / %% of each image), the poorest first: %s%s",
        subject_of(pool), "; ".join(shown), f"; {n_more} more pairs share more" if n_more else "",
    )  # fmt: skip


def _percent(pair: PairRecord) -> str:
    return "{:.0f} and {:.0f}".format(*(100 * share for share in pair.spread))


def with_view_graph(
    pool: Sequence[Recording], result: CalibrationResult | Refused, graph: ViewGraphRecord, mode: Mode
) -> CalibrationResult | Refused:
    """The result with what its views share, and alerts about views that share too little.

    If the calibration already left such a view out, what it shares becomes evidence of that alert.
    """
    alerts = list(result.alerts)
    for about in _alerts(subject_of(pool), graph, mode):
        same = [i for i, one in enumerate(alerts) if (one.kind, one.subject) == ("view_left_out", about.subject)]
        for i in same:
            evidence = f"{alerts[i].evidence}; {about.message}: {about.evidence}"
            alerts[i] = alerts[i].model_copy(update={"evidence": evidence})
        if not same:
            alerts.append(about)
    if isinstance(result, Refused):
        return replace(result, alerts=tuple(alerts))
    return replace(result, fields=result.fields | {"view_graph": graph}, alerts=tuple(alerts))


def _alerts(subject: str, graph: ViewGraphRecord, mode: Mode) -> list[Alert]:
    """A doubt about each view that no view, or a single one, links to the others; given extrinsics need no links."""
    severity: Severity = "note" if mode == "known" else "warning"
    isolated = [
        Alert(
            kind="isolated_view", severity=severity, subject=f"{subject}, {view}",
            message="the view shares hardly anything with the others",
            evidence=f"it shares {_most_shared(graph, view)}", mend=MEND,
        )
        for view in graph.isolated
    ]  # fmt: skip
    bridged = [
        Alert(
            kind="bridged_view", severity=severity, subject=f"{subject}, {view}",
            message=f"only {through} links the view to most others",
            evidence=f"it shares with the others {_most_shared(graph, view, without=through)}", mend=MEND,
        )
        for view, through in graph.bridged.items()
    ]  # fmt: skip
    return isolated + bridged


def _most_shared(graph: ViewGraphRecord, view: str, without: str = "") -> str:
    """The pair of a view, not with the view `without`, that shares the most."""
    own = [pair for pair in graph.pairs if view in pair.views and without not in pair.views]
    most = max(own, key=lambda pair: (pair.frames, pair.points), default=None)
    if most is None or not most.points:
        return "no points"
    other = most.views[most.views.index(view) - 1]
    frames = f" in {most.frames:,} frames" if most.frames else ""
    return f"at most {most.points:,} points{frames}, with {other}"
