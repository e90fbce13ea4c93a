"""Calibrates the rigs of a whole capture from its 2D poses; recordings of the same static cameras share one rig."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.alerts import Alert, log_alerts, worst_first
from pipeline.capture import Capture, Recording, read_capture
from pipeline.errors import UserError
from pipeline.labels.checks.given_intrinsics import check_intrinsics, with_doubts
from pipeline.labels.checks.view_graph import graph_of_views, log_graph, with_view_graph
from pipeline.labels.given_rig import adjusted_rig, given_rig
from pipeline.labels.moving_rig import moving_rig
from pipeline.labels.observations import cameras_found
from pipeline.labels.residuals import log_residuals, poses_of, residuals_of
from pipeline.labels.rig_result import CalibrationResult, Refused, subject_of, with_times, without_views
from pipeline.labels.self_calibrated_rig import pooled_rig
from pipeline.labels.single_frame_rigs import joined_frames, rigs_of_frames
from pipeline.labels.synchronisation.synchronise import no_offsets, synchronise, with_views_in_step
from pipeline.labels.workers import run_tasks
from pipeline.params.calibrate import CalibrateParams
from pipeline.stores import POSES2D, RIGS, RigRecord, RigsSummary, RigStore, ViewGraphRecord, create_store, open_store

log = logging.getLogger("epiline")
FRAMES_PER_TASK = 512
# Rotations of a camera above this are reported; those by an adjustment only if its own uncertainty does not cover them.
WARN_ROTATION_DEG, ADJUSTMENT_STDS = 1.0, 2.0
LOOKS_LIKE_MOTION = {"late_camera", "dropped_frames", "exchanged_views"}  # kinds of alerts whose cause looks the same


def calibrate_capture(frames: Path, poses2d: Path, rigs: Path, params: CalibrateParams) -> None:
    """Calibrate the cameras of every recording in the mode `params.mode` and write the store of rigs.

    A recording that cannot be calibrated is left out; the log and the store's summary name it with the reason.
    Raises UserError if no recording can be calibrated, if something that `params.scale` or `params.gravity` needs is
    missing, and if the focal length of a fisheye camera is not exact.
    """
    capture = read_capture(frames.resolve())
    _check_lenses(capture, params)
    if params.mode not in ("known", "adjust"):
        _check_scale_and_gravity(capture, params)
    detections = open_store(poses2d, POSES2D).summary
    with create_store(rigs.resolve(), RIGS) as store:
        found = _find_with_usable_intrinsics(capture, poses2d.resolve(), params)
        rejected = _write(store, capture, found)
        calibrated = len(capture.recordings) - len(rejected)
        if not calibrated:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in list(rejected.items())[:3])
            alerts = (alert for name in rejected for alert in found[name].alerts)
            mends = [alert.mend for alert in worst_first(alerts) if alert.mend]
            fix = mends[0] if mends else "See the advice on footage and calibration in the README."
            raise UserError(f"No recording could be calibrated: {reasons}", where=str(poses2d), fix=fix)
        summary = RigsSummary(
            mode=params.mode, detections=detections, calibrated=calibrated, rejected=rejected,
            alerts=worst_first(alert for result in found.values() for alert in result.alerts),
        )  # fmt: skip
        store.write_summary(summary)


def _check_scale_and_gravity(capture: Capture, params: CalibrateParams) -> None:
    for recording in capture.recordings:
        views = [recording.views[v] for v in recording.view_indices(for_labels=True)]
        names = [view.name for view in views]
        wanted = params.baseline.cameras if params.scale == "baseline" else []
        missing = sorted(set(wanted) - set(names))
        if params.scale == "height" and recording.height_mm is None:
            fix = "Give height_mm in subjects.csv, or set calibrate.scale to bones."
            raise UserError("calibrate.scale = height needs the subject's height", where=recording.name, fix=fix)
        if missing:
            fix = f"Name two of {', '.join(names)} in calibrate.baseline.cameras."
            raise UserError(f"calibrate.baseline names {', '.join(missing)}", where=recording.name, fix=fix)
        if params.gravity == "extrinsics" and not any(view.camera.has_extrinsics for view in views):
            fix = "Give extrinsics in the calibration file, or set calibrate.gravity to people."
            raise UserError(
                "calibrate.gravity = extrinsics needs a camera with extrinsics", where=recording.name, fix=fix
            )


def _check_lenses(capture: Capture, params: CalibrateParams) -> None:
    if params.focal == "exact" or params.ignore_distortion:
        return
    for recording in capture.recordings:
        fisheye = [v for v in recording.view_indices(for_labels=True) if recording.views[v].fisheye]
        if fisheye:
            name = recording.views[fisheye[0]].name
            what = f"calibrate.focal = {params.focal} is not possible with the fisheye camera {name}"
            fix = "Calibrate the lens, give its focal length, and set calibrate.focal to exact."
            raise UserError(what, where=recording.name, fix=fix)


Found = dict[str, CalibrationResult | Refused]
# The function that calibrates a pool of recordings in each mode. In mode `frame` a task is a part of a recording.
TASKS = {"rig": pooled_rig, "adjust": adjusted_rig, "known": given_rig, "window": moving_rig}


def _find_with_usable_intrinsics(capture: Capture, poses2d: Path, params: CalibrateParams) -> Found:
    """The rig of each recording, or the reason why there is none, which may be its intrinsics."""
    checks = {recording.name: check_intrinsics(recording) for recording in capture.recordings}
    refusals = {name: check for name, check in checks.items() if isinstance(check, Refused)}
    usable = [recording for recording in capture.recordings if recording.name not in refusals]
    for check in checks.values():
        log_alerts(check.alerts if isinstance(check, Refused) else check)
    found = _find(capture.model_copy(update={"recordings": usable}), poses2d, params) if usable else {}
    return {
        name: check if isinstance(check, Refused) else with_doubts(found[name], check) for name, check in checks.items()
    }


def _find(capture: Capture, poses2d: Path, params: CalibrateParams) -> Found:
    """The rig of each recording, or the reason why there is none."""
    if params.mode == "frame":
        return _find_per_frame(capture, poses2d, params)
    tasks = [(recording, poses2d, params) for recording in capture.recordings]
    timed = run_tasks(synchronise, tasks, "Synchronisation", unit="recording")
    checks = {recording.name: check for recording, check in zip(capture.recordings, timed, strict=True)}
    found: Found = {name: Refused(check.reason, check.alerts) for name, check in checks.items() if check.reason}
    usable = [recording for recording in capture.recordings if recording.name not in found]
    pools = [[recording] for recording in usable] if params.mode in ("known", "window") else _pools(usable)
    in_step = [with_views_in_step(pool, checks) for pool in pools]
    graphs = _view_graphs(in_step, poses2d, params)
    results = run_tasks(TASKS[params.mode], [(pool, poses2d, params) for pool in in_step], "Calibration", unit="rig")
    results = _with_measures(in_step, results, graphs, poses2d, params)
    for name, refusal in found.items():
        _log([recording for recording in capture.recordings if recording.name == name], refusal)
    for pool, result in zip(pools, results, strict=True):
        late = tuple(alert for recording in pool for alert in checks[recording.name].alerts)
        result = with_alerts_of_motion(subject_of(pool), replace(result, alerts=(*late, *result.alerts)))
        _log(pool, result)
        contradicting = {} if isinstance(result, Refused) else result.left_out
        for recording in pool:
            left_out = checks[recording.name].left_out | contradicting.get(recording.name, frozenset())
            own = with_times(result, checks[recording.name].times)
            found[recording.name] = without_views(own, recording, left_out)
    return found


def with_alerts_of_motion(subject: str, result: CalibrationResult | Refused) -> CalibrationResult | Refused:
    """The result with an alert about cameras that rotated, where no cause of it is known, and about missing frames."""
    if isinstance(result, Refused):
        return result
    alerts, fields = list(result.alerts), result.fields
    limit = WARN_ROTATION_DEG
    if fields["mode"] == "adjust":
        # Cameras rotate against those given, which another time does not explain.
        limit = max(limit, ADJUSTMENT_STDS * float(np.nanmax(result.arrays["rotation_std_deg"])))
    elif fields["mode"] == "rig" and {one.kind for one in alerts} & LOOKS_LIKE_MOTION:
        limit = np.inf
    if (fields["moved_deg"] or 0.0) > limit:
        alerts.append(_moved(subject, fields["mode"], fields["moved_deg"]))
    if fields["failed_frames"]:
        n, reason = sum(fields["failed_frames"].values()), max(fields["failed_frames"].items(), key=lambda one: one[1])
        message = f"{n} frames have no rig, and so no labels"
        evidence = f"{reason[1]} of them: {reason[0]}"
        alerts.append(Alert(kind="frames_without_rig", severity="note", subject=subject, message=message,
                            evidence=evidence))  # fmt: skip
    return replace(result, alerts=tuple(alerts))


def _moved(subject: str, mode: str, moved_deg: float) -> Alert:
    """The alert about a camera that rotated by some angle; in mode `window`, which expects it, only a note."""
    during, mend = {
        "rig": ("between the first and the second half of the frames", "See calibrate.mode: window follows cameras."),
        "window": ("during the recording", ""),
        "adjust": ("from its given extrinsics by the adjustment to the people", "Check the calibration file."),
    }[mode]
    return Alert(
        kind="camera_moved", severity="note" if mode == "window" else "warning", subject=subject,
        message=f"a camera rotated {during}", evidence=f"by {moved_deg:.1f} deg", mend=mend,
    )  # fmt: skip


def _pools(recordings: Sequence[Recording]) -> list[list[Recording]]:
    """Recordings of the same rig and views, as a recording that lacks a view cannot be pooled with the others."""
    pools: dict[tuple[str, ...], list[Recording]] = {}
    for recording in recordings:
        usable = [view.name + ("-" if view.evaluation_only else "+") for view in recording.views]
        pools.setdefault((recording.rig, *usable), []).append(recording)
    return list(pools.values())


def _find_per_frame(capture: Capture, poses2d: Path, params: CalibrateParams) -> Found:
    tasks, owners = [], []
    for recording in capture.recordings:
        for start in range(0, recording.n_frames, FRAMES_PER_TASK):
            stop = min(start + FRAMES_PER_TASK, recording.n_frames)
            tasks.append((recording, poses2d, (start, stop), params))
            owners.append(recording.name)
    pools = [[recording] for recording in capture.recordings]
    graphs = _view_graphs(pools, poses2d, params)
    parts = run_tasks(rigs_of_frames, tasks, "Calibration frame by frame", unit="task")
    results = []
    for recording in capture.recordings:
        own = [part for part, owner in zip(parts, owners, strict=True) if owner == recording.name]
        results.append(joined_frames(recording, own, params))
    found: Found = {}
    for pool, result in zip(pools, _with_measures(pools, results, graphs, poses2d, params), strict=True):
        found[pool[0].name] = with_alerts_of_motion(pool[0].name, with_times(result, no_offsets(pool[0])))
        _log(pool, found[pool[0].name])
    return found


def _view_graphs(pools: Sequence[Sequence[Recording]], poses2d: Path, params: CalibrateParams) -> list[ViewGraphRecord]:
    """What the views of each pool share, which is logged."""
    graphs = run_tasks(graph_of_views, [(pool, poses2d, params) for pool in pools], "Shared views", unit="rig")
    for pool, graph in zip(pools, graphs, strict=True):
        log_graph(pool, graph)
    return graphs


def _with_measures(
    pools: Sequence[Sequence[Recording]], results: Sequence[CalibrationResult | Refused],
    graphs: Sequence[ViewGraphRecord], poses2d: Path, params: CalibrateParams,
) -> list[CalibrationResult | Refused]:  # fmt: skip
    """The results with what their views share and with their residuals."""
    linked = [with_view_graph(*one, params.mode) for one in zip(pools, results, graphs, strict=True)]
    tasks = [
        (pool, poses2d, poses_of(result), params)
        for pool, result in zip(pools, linked, strict=True)
        if not isinstance(result, Refused)
    ]
    residuals = iter(run_tasks(residuals_of, tasks, "Residuals", unit="rig"))
    return [
        result
        if isinstance(result, Refused)
        else replace(result, fields=result.fields | {"residuals": next(residuals)})
        for result in linked
    ]


def _write(store: RigStore, capture: Capture, found: Found) -> dict[str, str]:
    """Write the rigs; return, by name, the reasons why recordings have none."""
    rejected = {}
    for recording in capture.recordings:
        result = found[recording.name]
        if isinstance(result, Refused):
            rejected[recording.name] = result.reason
            continue
        n_rigs = len(result.arrays["t_cam_from_world_mm"])
        group = store.create(recording.name, {"rig": n_rigs, "view": len(recording.views)}, _record(recording, result))
        for start, stop in group.shards():
            group.write(start, {name: values[start:stop] for name, values in result.arrays.items()})
    return rejected


def _record(recording: Recording, result: CalibrationResult) -> RigRecord:
    """The record of one recording of the pool from which the rig was found."""
    cameras = cameras_found(
        recording,
        ignore_distortion=result.fields["ignore_distortion"],
        focal_scale=result.fields["focal_scale"],
    )
    return RigRecord(cameras=cameras, **result.fields)


def _log(pool: Sequence[Recording], result: CalibrationResult | Refused) -> None:
    log_alerts(result.alerts)
    if isinstance(result, Refused):
        return
    arrays, fields = result.arrays, result.fields
    n_views = int(np.isfinite(arrays["t_cam_from_world_mm"]).all(-1).any(0).sum())
    std = arrays["rotation_std_deg"]
    uncertainty = f"rotation +-{np.nanmedian(std):.2f} deg, " if np.isfinite(std).any() else ""
    residual = np.nanmedian(arrays["residual_px"]) if np.isfinite(arrays["residual_px"]).any() else np.nan
    log.info(
        "%s: %d views from %d frames, residual %.2f px, %.0f %% inliers, %sscale: %s, vertical: %s",
        subject_of(pool), n_views, fields["n_frames"], residual, 100 * fields["inlier_share"], uncertainty,
        _with_std(fields["scale"], fields["scale_std"], "{:.0%}"),
        _with_std(fields["gravity"], fields["gravity_std_deg"], "{:.1f} deg"),
    )  # fmt: skip
    log_residuals(pool, fields["residuals"])


def _with_std(source: str, std: float | None, form: str) -> str:
    return source if std is None else f"{source} +-{form.format(std)}"
