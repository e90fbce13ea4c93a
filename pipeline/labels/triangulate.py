"""Triangulates the labels of a whole capture: each task labels one shard of a recording's frames."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.capture import Capture, Recording, read_capture
from pipeline.errors import UserError
from pipeline.geometry.camera.model import Camera
from pipeline.geometry.frame_sampling import spread_windows
from pipeline.geometry.triangulation.bone_lengths import fit_bone_lengths, own_lengths
from pipeline.geometry.triangulation.labelling import Labelled, Status, ViewStatus, label, view_status
from pipeline.geometry.triangulation.left_right import CONTEXT, find_swapped, swap_left_right
from pipeline.geometry.triangulation.smoothing import smooth, smoothing_radius
from pipeline.labels.observations import EXPECTED_NOISE, Observations, observe
from pipeline.labels.workers import run_tasks
from pipeline.params.triangulate import TriangulateParams
from pipeline.skeleton import BONES, JOINTS
from pipeline.stores import (
    LABELS,
    POSES2D,
    RIGS,
    LabelRecord,
    LabelsSummary,
    LabelStore,
    Poses2dRecord,
    RecordingGroup,
    RigRecord,
    RigsSummary,
    create_store,
    open_store,
    reopen,
)

log = logging.getLogger("epiline")
# Lower bound of the noise of the detections, as a share of the person's height.
MIN_NOISE = 0.002
# Bone lengths are estimated from this many windows of this many frames.
WINDOWS, WINDOW_FRAMES = 4, 128


def triangulate_capture(frames: Path, poses2d: Path, rigs: Path, labels: Path, params: TriangulateParams) -> None:
    """Triangulate every frame of every calibrated recording and write the store of labels.

    The store's summary counts the rejected joints by reason. Raises UserError if no joint is valid.
    """
    found = open_store(rigs, RIGS)
    capture, detections = read_capture(frames.resolve()), open_store(poses2d, POSES2D)
    with create_store(labels.resolve(), LABELS) as store:
        recordings = [recording for recording in capture.recordings if recording.name in found]
        sources = poses2d.resolve(), rigs.resolve()
        measured = run_tasks(_own_lengths, [(r, *sources, params) for r in recordings], "Bone lengths", "recording")
        tasks = []
        for recording, lengths in zip(recordings, measured, strict=True):
            sizes = {"frame": recording.n_frames, "view": len(recording.views)}
            persons = detections[recording.name].record.persons
            group = store.create(recording.name, sizes, LabelRecord(persons=persons, rig=found[recording.name].record))
            tasks += [(recording, *sources, store.path, rows, lengths, params) for rows in group.shards()]
        counts = run_tasks(_label_shard, tasks, "Triangulation", unit="shard")
        store.write_summary(_summary(capture, store, [task[0].name for task in tasks], counts, found.summary, params))


@dataclass(frozen=True)
class _Counts:
    """Numbers of joints and of detections in some frames, by their status."""

    joints: np.ndarray  # (len(Status),)
    views: np.ndarray  # (len(ViewStatus), V, J)


def _label_shard(
    recording: Recording,
    poses2d: Path,
    rigs: Path,
    labels: Path,
    rows: tuple[int, int],
    lengths: np.ndarray,
    params: TriangulateParams,
) -> _Counts:
    """Make and write the labels of the rows (start, stop); return the counts of their status."""
    labeller = _labeller(recording, poses2d, rigs, params)
    made, seen, swapped = labeller.labels(rows, lengths)
    R, t = labeller.rig_poses(rows)
    views = np.swapaxes(view_status(made, seen.sigma, seen.confidence, swapped, t), 1, 2)
    if labeller.rig.record.scale == "known":
        R, t = _with_evaluation_views(recording, R, t)
    in_cameras = np.einsum("fvij,fnj->fvni", R, made.points) + t[:, :, None]
    px = labeller.poses.rows("joints_px", *rows)
    used_px = np.swapaxes(swap_left_right(np.swapaxes(px, 1, 2), swapped), 1, 2)
    is_used = np.isin(views, (ViewStatus.USED, ViewStatus.SWAPPED))
    projected = _project(labeller.rig.record.intrinsics, in_cameras)
    group = reopen(labels, LABELS)[recording.name].person(0)
    group.write(rows[0], {
        "joints_world_mm": made.points,
        "joints_cam_mm": in_cameras,
        "status": made.status,
        "reprojection_px": np.linalg.norm(projected - px, axis=-1),
        "reprojection_used_px": np.where(is_used, np.linalg.norm(projected - used_px, axis=-1), np.nan),
        "view_status": views,
        "views_used": made.used.sum(-1),
        "covariance_mm2": made.covariance,
        "uncertainty_mm": made.uncertainty,
    })  # fmt: skip
    by_view = np.stack([(views == status).sum(0) for status in ViewStatus])
    return _Counts(np.bincount(made.status.ravel(), minlength=len(Status)), by_view)


def _own_lengths(recording: Recording, poses2d: Path, rigs: Path, params: TriangulateParams) -> np.ndarray:
    """The person's bone lengths (16,) from windows spread over the whole recording."""
    labeller = _labeller(recording, poses2d, rigs, params)
    n, unknown = labeller.poses.n_rows, np.full(len(BONES), np.nan)
    made = [labeller.labels(rows, unknown)[0] for rows in spread_windows(n, WINDOWS, WINDOW_FRAMES)]
    return own_lengths(np.concatenate([m.points for m in made]), np.concatenate([m.covariance for m in made]))


@dataclass(frozen=True)
class _Labeller:
    """Makes the labels of any rows (start, stop) of a recording from its 2D poses and its rig."""

    recording: Recording
    poses: RecordingGroup[Poses2dRecord]  # of one person
    rig: RecordingGroup[RigRecord]
    params: TriangulateParams

    def labels(self, rows: tuple[int, int], lengths: np.ndarray) -> tuple[Labelled, Observations, np.ndarray]:
        """Labels of the rows, the observations they were made from, and where left and right were swapped (F, J, V).

        `lengths` (16,) are the bone lengths of the person in mm, NaN if unknown.
        """
        params, frames = self.params, self.params.smoothing_s * self.recording.fps
        wide, own = self._widened(rows, smoothing_radius(frames))
        seen, swapped = self._seen(wide, lengths)
        R, t = self.rig_poses(wide)
        limit = np.broadcast_to(params.max_reprojection * seen.height, seen.sigma.shape)
        made = label(seen.points_norm, seen.sigma, limit, R, t, method=params.method, min_views=params.min_views)
        # A rig found from one frame is too uncertain to estimate bone lengths with.
        if params.method == "robust_bones" and self.rig.record.mode != "frame" and np.isfinite(lengths).any():
            tolerance = params.bone_tolerance * float(np.nanmean(lengths))
            points, covariance = fit_bone_lengths(made.points, seen.points_norm, seen.sigma, R, t, lengths, tolerance)
            made = replace(made, points=points, covariance=covariance)
        if frames > 0:
            made = replace(made, points=smooth(made.points, frames))
        return made.taken(own), seen.taken(own), swapped[own]

    def _seen(self, rows: tuple[int, int], lengths: np.ndarray) -> tuple[Observations, np.ndarray]:
        """The observations of the rows with left and right corrected, and where they were swapped (F, J, V)."""
        # The repair of left and right also uses the neighbouring frames.
        wide, own = self._widened(rows, CONTEXT)
        cameras, least = self.rig.record.intrinsics, self.params.min_confidence
        seen = observe(self.recording, cameras, self.poses, wide, min_confidence=least)
        noise = max(self.rig.record.noise_share, MIN_NOISE)
        seen = replace(seen, sigma=seen.sigma * (noise / EXPECTED_NOISE))
        swapped = np.zeros(seen.sigma.shape, bool)
        if self.params.fix_left_right:
            swapped = find_swapped(seen.points_norm, seen.sigma, *self.rig_poses(wide), lengths)
        return seen.with_sides(swapped).taken(own), swapped[own]

    def _widened(self, rows: tuple[int, int], by: int) -> tuple[tuple[int, int], np.ndarray]:
        """The rows with up to `by` more on each side, and the indices of the original rows among them."""
        start, stop = max(rows[0] - by, 0), min(rows[1] + by, self.poses.n_rows)
        return (start, stop), np.arange(rows[0] - start, rows[1] - start)

    def rig_poses(self, rows: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Rotations and translations: one for all frames (1, V, ...), or one for each of the rows (F, V, ...)."""
        span = rows if self.rig.record.moving else (0, 1)
        return self.rig.rows("R_cam_from_world", *span), self.rig.rows("t_cam_from_world_mm", *span)


def _labeller(recording: Recording, poses2d: Path, rigs: Path, params: TriangulateParams) -> _Labeller:
    poses = open_store(poses2d, POSES2D)[recording.name].person(0)
    return _Labeller(recording, poses, open_store(rigs, RIGS)[recording.name], params)


def _with_evaluation_views(recording: Recording, R: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The extrinsics, completed by the given ones of the views that are for evaluation only."""
    for v, view in enumerate(recording.views):
        if view.evaluation_only and view.camera.has_extrinsics:
            R[:, v], t[:, v] = view.camera.R_cam_from_world, view.camera.t_cam_from_world_mm
    return R, t


def _project(cameras: list[Camera], in_cameras_mm: np.ndarray) -> np.ndarray:
    """Pixels (F, V, J, 2) of joints (F, V, J, 3) in the cameras' frames; NaN behind a camera."""
    projected = np.empty((*in_cameras_mm.shape[:-1], 2))
    for v, camera in enumerate(cameras):
        in_front = np.where(in_cameras_mm[:, v, :, 2:] > 0, in_cameras_mm[:, v], np.nan)
        projected[:, v] = camera.project_cam(in_front)
    return projected


def _summary(
    capture: Capture, store: LabelStore, names: list[str], counts: list[_Counts], rigs: RigsSummary,
    params: TriangulateParams,
) -> LabelsSummary:  # fmt: skip
    """Count joints and detections by status, and log the totals.

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
        alerts=[],
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
