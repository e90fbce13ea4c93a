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
from pipeline.geometry.triangulation.uncertainty.label_covariance import label_covariance
from pipeline.geometry.triangulation.uncertainty.rig_motion import pose_root
from pipeline.labels import label_noise
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
    NoiseRecord,
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
        measured = run_tasks(_measured, [(r, *sources, params) for r in recordings], "Bone lengths", "recording")
        tasks = []
        for recording, measures in zip(recordings, measured, strict=True):
            sizes = {"frame": recording.n_frames, "view": len(recording.views)}
            persons = detections[recording.name].record.persons
            rig = found[recording.name].record
            group = store.create(recording.name, sizes, LabelRecord(persons=persons, rig=rig, noise=measures.noise))
            tasks += [(recording, *sources, store.path, rows, measures, params) for rows in group.shards()]
        counts = run_tasks(_label_shard, tasks, "Triangulation", unit="shard")
        store.write_summary(_summary(capture, store, [task[0].name for task in tasks], counts, found.summary, params))


@dataclass(frozen=True)
class _Measures:
    """What is measured on a sample of a recording before its labels are made."""

    lengths: np.ndarray  # (16,) the person's bone lengths in mm, NaN if unknown
    noise: NoiseRecord


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
    measures: _Measures,
    params: TriangulateParams,
) -> _Counts:
    """Make and write the labels of the rows (start, stop); return the counts of their status."""
    labeller = _labeller(recording, poses2d, rigs, params)
    made, seen, swapped = labeller.labels(rows, measures.lengths, measures.noise)
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


def _measured(recording: Recording, poses2d: Path, rigs: Path, params: TriangulateParams) -> _Measures:
    """The person's bone lengths and the noise of the detections, from windows spread over the whole recording."""
    labeller = _labeller(recording, poses2d, rigs, params)
    n, unknown = labeller.poses.n_rows, np.full(len(BONES), np.nan)
    made = [labeller.labels(rows, unknown)[0] for rows in spread_windows(n, WINDOWS, WINDOW_FRAMES)]
    lengths = own_lengths(np.concatenate([m.points for m in made]), np.concatenate([m.covariance for m in made]))
    windows = spread_windows(n, label_noise.WINDOWS, label_noise.WINDOW_FRAMES)
    samples = [labeller.sample(rows, lengths) for rows in windows]
    return _Measures(lengths, label_noise.measure_noise(samples, labeller.pose_root, 1 / recording.fps))


@dataclass(frozen=True)
class _Labeller:
    """Makes the labels of any rows (start, stop) of a recording from its 2D poses and its rig."""

    recording: Recording
    poses: RecordingGroup[Poses2dRecord]  # of one person
    rig: RecordingGroup[RigRecord]
    params: TriangulateParams

    def labels(
        self, rows: tuple[int, int], lengths: np.ndarray, noise: NoiseRecord | None = None
    ) -> tuple[Labelled, Observations, np.ndarray]:
        """Labels of the rows, the observations they were made from, and where left and right were swapped (F, J, V).

        `lengths` (16,) are the bone lengths of the person in mm, NaN if unknown. Without `noise`, the covariance is
        that of the expected noise.
        """
        frames = self.params.smoothing_s * self.recording.fps
        wide, own = self._widened(rows, smoothing_radius(frames))
        seen, swapped = self._seen(wide, lengths)
        R, t = self.rig_poses(wide)
        made = self._made(seen, seen.sigma, R, t, lengths)
        if noise is not None:
            limit, own_noise = self._limit(seen), label_noise.noise_of(noise)
            of_noise = label_covariance(made, seen.points_norm, seen.sigma, limit, R, t, own_noise, self.pose_root)
            made = replace(made, covariance=of_noise)
        if frames > 0:
            made = replace(made, points=smooth(made.points, frames))
        return made.taken(own), seen.taken(own), swapped[own]

    def sample(self, rows: tuple[int, int], lengths: np.ndarray) -> label_noise.NoiseSample:
        """The rows' observations, and a function that labels them with any choice of views."""
        seen, _ = self._seen(rows, lengths)
        R, t = self.rig_poses(rows)
        free = self._made(seen, seen.sigma, R, t, np.full(len(BONES), np.nan))
        return label_noise.NoiseSample(
            seen, self._limit(seen), R, t, lambda sigma: self._made(seen, sigma, R, t, lengths), free
        )

    @property
    def pose_root(self) -> np.ndarray:
        """A root of the covariance of the poses of a static rig; without columns if it is not known."""
        if self.rig.record.moving:
            return np.zeros((6 * len(self.recording.views), 0))
        return pose_root(self.rig.rows("pose_covariance", 0, 1)[0])

    def _limit(self, seen: Observations) -> np.ndarray:
        """The distance (F, J, V) up to which a view agrees with a joint, in normalised units."""
        return np.broadcast_to(self.params.max_reprojection * seen.height, seen.sigma.shape)

    def _made(
        self, seen: Observations, sigma: np.ndarray, R: np.ndarray, t: np.ndarray, lengths: np.ndarray
    ) -> Labelled:
        """Labels from the observations with some `sigma` (F, J, V), which is infinite for views that are left out."""
        params = self.params
        made = label(seen.points_norm, sigma, self._limit(seen), R, t, method=params.method, min_views=params.min_views)
        if params.method != "robust_bones" or not np.isfinite(lengths).any():
            return made
        tolerance = params.bone_tolerance * float(np.nanmean(lengths))
        points, covariance = fit_bone_lengths(made.points, seen.points_norm, sigma, R, t, lengths, tolerance)
        return replace(made, points=points, covariance=covariance)

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
