"""Triangulates the labels of a whole capture: each task labels one shard of a recording's frames."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.alerts import Alert
from pipeline.capture import Recording, read_capture
from pipeline.geometry.camera.model import Camera
from pipeline.geometry.frame_sampling import spread_windows
from pipeline.geometry.triangulation.bone_lengths import fit_bone_lengths, own_lengths
from pipeline.geometry.triangulation.labelling import Labelled, Status, ViewStatus, label, view_status
from pipeline.geometry.triangulation.left_right import CONTEXT, find_swapped, swap_left_right
from pipeline.geometry.triangulation.person.body_checks import LEAP_FRAMES
from pipeline.geometry.triangulation.person.sides import Sides
from pipeline.geometry.triangulation.smoothing import smooth, smoothing_radius
from pipeline.geometry.triangulation.uncertainty.label_covariance import label_covariance
from pipeline.geometry.triangulation.uncertainty.rig_gauge import relative_to_points
from pipeline.geometry.triangulation.uncertainty.rig_motion import pose_root, rig_covariance
from pipeline.geometry.triangulation.uncertainty.single_frame_rigs import covariance_of_frame_rigs
from pipeline.labels import label_noise
from pipeline.labels.labelling.own_frames import OwnFrames
from pipeline.labels.labelling.person import Person, follow, follow_sides, several_people, several_people_alert
from pipeline.labels.labelling.summary import Counts, summarise
from pipeline.labels.observations import EXPECTED_NOISE, Observations, observe, open_detections
from pipeline.labels.workers import run_tasks
from pipeline.params.triangulate import TriangulateParams
from pipeline.skeleton import BONES, LIMB_JOINTS
from pipeline.stores import (
    LABELS,
    POSES2D,
    RIGS,
    Detections,
    LabelRecord,
    NoiseRecord,
    RecordingGroup,
    RigRecord,
    create_store,
    open_store,
    reopen,
)

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
        alerts = [alert for measures in measured for alert in measures.alerts]
        names = [task[0].name for task in tasks]
        store.write_summary(summarise(capture, store, names, counts, found.summary, params, alerts))


@dataclass(frozen=True)
class _Measures:
    """What is measured on a sample of a recording before its labels are made."""

    person: Person
    noise: NoiseRecord
    pose_root: np.ndarray  # (6 V, K) of the covariance of a static rig's poses, in the gauge of the labels
    alerts: list[Alert]


def _label_shard(
    recording: Recording,
    poses2d: Path,
    rigs: Path,
    labels: Path,
    rows: tuple[int, int],
    measures: _Measures,
    params: TriangulateParams,
) -> Counts:
    """Make and write the labels of the rows (start, stop); return the counts of their status."""
    labeller = _labeller(recording, poses2d, rigs, params)
    own = OwnFrames.of(labeller.rig.record.view_times, rows, labeller.poses.n_rows)
    span = own.start, own.stop
    made, seen, swapped = labeller.labels(span, measures.person, measures)
    R, t = labeller.rig_poses(span)
    other = measures.person.path.other[slice(*span)]
    views = np.swapaxes(view_status(made, seen.sigma, seen.confidence, swapped, t, other), 1, 2)
    if labeller.rig.record.scale == "known":
        R, t = _with_evaluation_views(recording, R, t)
    in_cameras = own.joints(np.einsum("fvij,fnj->fvni", R, made.points) + t[:, :, None])
    views, swapped = own.codes(views), own.codes(np.swapaxes(swapped, 1, 2))
    made = made.taken(np.arange(*rows) - own.start)
    px = open_store(poses2d, POSES2D)[recording.name].person(0).rows("joints_px", *rows)
    used_px = np.swapaxes(swap_left_right(np.swapaxes(px, 1, 2), np.swapaxes(swapped, 1, 2)), 1, 2)
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
    return Counts(np.bincount(made.status.ravel(), minlength=len(Status)), by_view)


def _measured(recording: Recording, poses2d: Path, rigs: Path, params: TriangulateParams) -> _Measures:
    """The person in the recording, and the noise of the detections, from windows spread over the whole recording."""
    labeller = _labeller(recording, poses2d, rigs, params)
    n, unknown = labeller.poses.n_rows, np.full(len(BONES), np.nan)
    # Smoothing would shorten the bones.
    as_found = replace(labeller, params=params.model_copy(update={"smoothing_s": 0.0}))
    others = several_people(labeller.observed, (0, n), recording.fps)
    several = others is not None
    stranger = labeller.person((0, n), unknown, several=several)
    made = [as_found.labels(rows, stranger)[0] for rows in spread_windows(n, WINDOWS, WINDOW_FRAMES)]
    lengths = own_lengths(np.concatenate([m.points for m in made]), np.concatenate([m.covariance for m in made]))
    person = labeller.person((0, n), lengths, several=several)
    windows = spread_windows(n, label_noise.WINDOWS, label_noise.WINDOW_FRAMES)
    samples = [labeller.sample(rows, person) for rows in windows]
    root = labeller.pose_root(samples)
    alerts = [] if others is None else [several_people_alert(recording, others)]
    return _Measures(person, label_noise.measure_noise(samples, root, 1 / recording.fps), root, alerts)


@dataclass(frozen=True)
class _Labeller:
    """Makes the labels of any rows (start, stop) of a recording from its 2D poses and its rig."""

    recording: Recording
    poses: Detections  # at the times of the views in the rig's record
    rig: RecordingGroup[RigRecord]
    params: TriangulateParams

    def labels(
        self, rows: tuple[int, int], person: Person, measures: _Measures | None = None
    ) -> tuple[Labelled, Observations, np.ndarray]:
        """Labels of the rows, the observations they were made from, and where left and right were swapped (F, J, V).

        Without `measures`, the covariance is that of the expected noise.
        """
        frames = self.params.smoothing_s * self.recording.fps
        wide, own = self._widened(rows, LEAP_FRAMES + 1 + smoothing_radius(frames))
        seen, swapped = self._seen(wide, person)
        R, t = self.rig_poses(wide)
        made = self._made(seen, seen.sigma, R, t, person.lengths)
        if measures is not None:
            limit, noise = self._limit(seen), label_noise.noise_of(measures.noise)
            by_rig = self._by_rig(made, seen, wide, measures.pose_root)
            covariance = label_covariance(made, seen.points_norm, seen.sigma, limit, R, t, noise, by_rig)
            made = replace(made, covariance=covariance)
        made = person.judged(made, wide)
        if frames > 0:
            made = replace(made, points=smooth(made.points, frames))
        return made.taken(own), seen.taken(own), swapped[own]

    def observed(self, rows: tuple[int, int]) -> tuple[Observations, np.ndarray, np.ndarray]:
        """The observations of the rows as detected, and their rotations and translations."""
        return self._observed(rows), *self.rig_poses(rows)

    def person(self, rows: tuple[int, int], lengths: np.ndarray, *, several: bool) -> Person:
        """The person with the bone lengths (16,), NaN if unknown, followed through the rows, alone or with others."""
        fps, moves = self.recording.fps, self.rig.record.mode != "frame"
        path = follow(self.observed, rows, lengths, fps, moves=moves, several=several)
        sides = Sides.as_named(*path.other.shape)
        if moves and self.params.fix_left_right and np.isfinite(lengths).any():
            sides = follow_sides(self._observed_with_noise, path, lengths, fps)
        return Person(lengths, path, sides, fps, moves)

    def sample(self, rows: tuple[int, int], person: Person) -> label_noise.NoiseSample:
        """The rows' observations, and a function that labels them with any choice of views."""
        seen, _ = self._seen(rows, person)
        R, t = self.rig_poses(rows)
        free = self._made(seen, seen.sigma, R, t, np.full(len(BONES), np.nan))
        return label_noise.NoiseSample(
            seen, self._limit(seen), R, t, lambda sigma: self._made(seen, sigma, R, t, person.lengths), free
        )

    def pose_root(self, samples: list[label_noise.NoiseSample]) -> np.ndarray:
        """A root of the covariance of a static rig's poses, relative to samples of the recording's own labels.

        Without columns if the covariance is not known.
        """
        if self.rig.record.moving:
            return np.zeros((6 * len(self.recording.views), 0))
        root = pose_root(self.rig.rows("pose_covariance", 0, 1)[0])
        points = np.concatenate([sample.free.points for sample in samples])
        sigma = np.concatenate([np.where(sample.free.used, sample.seen.sigma, np.inf) for sample in samples])
        from_people = self.rig.record.scale not in ("known", "baseline")
        return relative_to_points(root, points, sigma, *self.rig_poses((0, 1)), scale=from_people)

    def _by_rig(self, made: Labelled, seen: Observations, rows: tuple[int, int], root: np.ndarray) -> np.ndarray:
        """The covariance (F, J, 3, 3) of the rows' labels that comes from the rig; `root` is that of a static one."""
        sigma, (R, t) = np.where(made.used, seen.sigma, np.inf), self.rig_poses(rows)
        if self.rig.record.mode == "frame":
            std = np.radians(self.rig.rows("rotation_std_deg", *rows))
            return covariance_of_frame_rigs(made.points, sigma, R, t, std)
        return rig_covariance(made.points, sigma, R, t, root)

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

    def _observed(self, rows: tuple[int, int]) -> Observations:
        """The observations of the rows, with the expected noise of the detections."""
        return observe(
            self.recording, self.rig.record.intrinsics, self.poses, rows, min_confidence=self.params.min_confidence
        )

    def _seen(self, rows: tuple[int, int], person: Person) -> tuple[Observations, np.ndarray]:
        """The observations of the person, left and right corrected, and where they were swapped (F, J, V)."""
        # The repair of left and right also uses the neighbouring frames.
        wide, own = self._widened(rows, CONTEXT)
        seen = self._with_noise(self._observed(wide))
        sigma = np.where(person.path.other[slice(*wide), None], np.inf, seen.sigma)
        swapped = np.zeros(sigma.shape, bool)
        swapped[:, LIMB_JOINTS] = person.sides.swapped[slice(*wide), None]
        seen = replace(seen, sigma=sigma).with_sides(swapped)
        if self.params.fix_left_right:
            also = find_swapped(seen.points_norm, seen.sigma, *self.rig_poses(wide), person.lengths)
            seen, swapped = seen.with_sides(also), swapped ^ also
        return seen.taken(own), swapped[own]

    def _observed_with_noise(self, rows: tuple[int, int]) -> tuple[Observations, np.ndarray, np.ndarray]:
        return self._with_noise(self._observed(rows)), *self.rig_poses(rows)

    def _with_noise(self, seen: Observations) -> Observations:
        """The observations with the noise that the rig's points were found to have."""
        noise = max(self.rig.record.noise_share, MIN_NOISE)
        return replace(seen, sigma=seen.sigma * (noise / EXPECTED_NOISE))

    def _widened(self, rows: tuple[int, int], by: int) -> tuple[tuple[int, int], np.ndarray]:
        """The rows with up to `by` more on each side, and the indices of the original rows among them."""
        start, stop = max(rows[0] - by, 0), min(rows[1] + by, self.poses.n_rows)
        return (start, stop), np.arange(rows[0] - start, rows[1] - start)

    def rig_poses(self, rows: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Rotations and translations: one for all frames (1, V, ...), or one for each of the rows (F, V, ...)."""
        span = rows if self.rig.record.moving else (0, 1)
        return self.rig.rows("R_cam_from_world", *span), self.rig.rows("t_cam_from_world_mm", *span)


def _labeller(recording: Recording, poses2d: Path, rigs: Path, params: TriangulateParams) -> _Labeller:
    rig = open_store(rigs, RIGS)[recording.name]
    timed = recording.with_times(rig.record.view_times)
    return _Labeller(timed, open_detections(poses2d, timed), rig, params)


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
