"""Triangulates the labels of a whole capture: each task makes one shard of a recording's frames."""

import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.capture import Capture, Recording, read_capture
from pipeline.errors import UserError
from pipeline.geometry.bones import own_lengths, refine
from pipeline.geometry.labelling import Labelled, Status, label
from pipeline.labels.observations import EXPECTED_NOISE, observe
from pipeline.labels.workers import run_tasks
from pipeline.params import TriangulateParams
from pipeline.stores import LABELS, POSES2D, RIGS, RecordingGroup, Store, reading, reopen, writing

log = logging.getLogger("epiline")
# Detections are never taken to be more exact than this share of the person's height.
LEAST_NOISE = 0.002
# Bone lengths are taken from so many windows of so many frames.
WINDOWS, WINDOW_FRAMES = 4, 128


def triangulate_capture(frames: Path, poses2d: Path, rigs: Path, labels: Path, params: TriangulateParams) -> None:
    """Triangulate every frame of every calibrated recording and write the store of labels.

    What was rejected is counted by reason in the store's attributes.
    Raises UserError where not a single joint is valid.
    """
    capture = read_capture(frames.resolve())
    found = reading(rigs, RIGS)
    about = {"method": params.method, "rigs": found.attrs, "params": params.model_dump()}
    with writing(labels.resolve(), LABELS, **about) as store:
        recordings = [recording for recording in capture.recordings if recording.name in found]
        tasks = []
        for recording in recordings:
            group = store.create(
                recording.name,
                {"frame": recording.n_frames, "view": len(recording.views)},
                **found[recording.name].attrs,
            )
            tasks += [
                (recording, poses2d.resolve(), rigs.resolve(), store.path, *rows, params) for rows in group.shards()
            ]
        counts = run_tasks(_label_shard, tasks, "Triangulation", unit="shard")
        _report(capture, store, [task[0].name for task in tasks], counts)


def _label_shard(
    recording: Recording, poses2d: Path, rigs: Path, labels: Path, start: int, stop: int, params: TriangulateParams
) -> np.ndarray:
    """Make and write the labels of the rows start..stop; the number of joints by status."""
    poses = reading(poses2d, POSES2D)[recording.name]
    rig = reading(rigs, RIGS)[recording.name]
    lengths = _own_lengths(recording, poses, rig, params) if _keeps_bones(rig, params) else None
    made, (R, t) = _label_rows(recording, poses, rig, (start, stop), params, lengths)
    if rig.attrs["mode"] == "known":
        R, t = _with_evaluation_views(recording, R, t)
    in_cameras = np.einsum("fvij,fnj->fvni", R, made.points) + t[:, :, None]
    group = reopen(labels, LABELS)[recording.name]
    group.write(start, {
        "joints_world_mm": made.points,
        "joints_cam_mm": in_cameras,
        "status": made.status,
        "reprojection_px": _reprojection_px(recording, poses.rows("joints_px", start, stop), in_cameras),
        "view_used": np.swapaxes(made.used, 1, 2),
        "uncertainty_mm": made.uncertainty,
    })  # fmt: skip
    return np.bincount(made.status.ravel(), minlength=len(Status))


def _label_rows(
    recording: Recording,
    poses: RecordingGroup,
    rig: RecordingGroup,
    rows: tuple[int, int],
    params: TriangulateParams,
    lengths: np.ndarray | None,
) -> tuple[Labelled, tuple[np.ndarray, np.ndarray]]:
    """Labels of the rows, kept to the bone lengths if given, and the poses of their cameras."""
    observed = observe(recording, poses, rows, min_confidence=params.min_confidence)
    R, t = _poses(rig, *rows)
    noise = max(rig.attrs.get("noise_share", EXPECTED_NOISE), LEAST_NOISE)
    sigma = observed.sigma * (noise / EXPECTED_NOISE)
    limit = np.broadcast_to(params.max_reprojection * observed.height, sigma.shape)
    made = label(observed.rays, sigma, limit, R, t, method=params.method, min_views=params.min_views)
    if lengths is not None and np.isfinite(lengths).any():
        tolerance = params.bone_tolerance * float(np.nanmean(lengths))
        refined = refine(made.points, observed.rays, sigma, R, t, lengths, tolerance)
        made = replace(made, points=refined)
    return made, (R, t)


def _keeps_bones(rig: RecordingGroup, params: TriangulateParams) -> bool:
    # A rig of one frame is too uncertain to tell a person's bones, and the other methods are there to be compared with.
    return params.method == "robust" and params.bone_tolerance > 0 and rig.attrs["mode"] != "frame"


def _own_lengths(
    recording: Recording, poses: RecordingGroup, rig: RecordingGroup, params: TriangulateParams
) -> np.ndarray:
    """The person's bone lengths (16,) from windows spread over the whole recording: the same for each of its shards."""
    n = poses.n_rows
    starts = [0, *range(WINDOW_FRAMES, n, max(n // WINDOWS, WINDOW_FRAMES))]
    windows = [(start, min(start + WINDOW_FRAMES, n)) for start in starts]
    joints = [_label_rows(recording, poses, rig, rows, params, None)[0].points for rows in windows]
    return own_lengths(np.concatenate(joints))


def _poses(rig: RecordingGroup, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """Rotations and translations, one for all frames (1, V, ...) or one for each of the rows (F, V, ...)."""
    rows = (start, stop) if rig.attrs["mode"] == "frame" else (0, 1)
    return rig.rows("R_cam_from_world", *rows), rig.rows("t_cam_from_world_mm", *rows)


def _with_evaluation_views(recording: Recording, R: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The poses with those of the views kept for evaluation, where the footage came with them."""
    for v, view in enumerate(recording.views):
        if view.evaluation_only and view.camera.known:
            R[:, v], t[:, v] = view.camera.R_cam_from_world, view.camera.t_cam_from_world_mm
    return R, t


def _reprojection_px(recording: Recording, px: np.ndarray, in_cameras_mm: np.ndarray) -> np.ndarray:
    """Distance (F, V, J) of the detections (F, V, J, 2) from joints (F, V, J, 3) in the cameras' frames."""
    projected = np.empty_like(px)
    for v, view in enumerate(recording.views):
        camera = view.camera.posed(np.eye(3), np.zeros(3))
        in_front = np.where(in_cameras_mm[:, v, :, 2:] > 0, in_cameras_mm[:, v], np.nan)
        projected[:, v] = camera.project(in_front)
    return np.linalg.norm(projected - px, axis=-1)


def _report(capture: Capture, store: Store, names: list[str], counts: list[np.ndarray]) -> None:
    total = np.sum(counts, axis=0) if counts else np.zeros(len(Status), int)
    rejected: dict[str, Counter[str]] = {name: Counter() for name in names}
    for name, count in zip(names, counts, strict=True):
        rejected[name].update({s.name.lower(): int(count[s]) for s in Status if s != Status.VALID and count[s]})
    by_reason = {s.name.lower(): int(total[s]) for s in Status if s != Status.VALID and total[s]}
    reasons = ", ".join(f"{n} {reason.replace('_', ' ')}" for reason, n in by_reason.items()) or "none"
    if not total[Status.VALID]:
        fix = "Lower triangulate.min_confidence or min_views, or raise max_reprojection."
        raise UserError(f"No joint could be triangulated: {reasons}", where=str(store.path), fix=fix)
    share = total[Status.VALID] / total.sum()
    log.info("Labels: %.1f %% of %d joints valid; rejected: %s", 100 * share, total.sum(), reasons)
    left_out = [recording.name for recording in capture.recordings if recording.name not in rejected]
    store.describe(
        valid=int(total[Status.VALID]), rejected=by_reason,
        rejected_by_recording={name: dict(count) for name, count in rejected.items()},
        recordings_without_rig=left_out, statuses={s.name.lower(): int(s) for s in Status},
    )  # fmt: skip
