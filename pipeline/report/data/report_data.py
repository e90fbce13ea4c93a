"""The data of the report: detections, labels, predictions and truth of each recording in each of its views."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pipeline.capture import Capture, Recording, View, read_capture
from pipeline.geometry.camera.model import Camera
from pipeline.geometry.triangulation.labelling import ViewStatus
from pipeline.params.refine import RefineSource
from pipeline.pss import Reference, read_references
from pipeline.report.data.checks import checked_status, read_checked, refuse_gaps, refuse_missing_recordings
from pipeline.report.data.files import Files
from pipeline.skeleton import MIRROR, N_JOINTS, ROOT
from pipeline.stores import (
    LABELS,
    POSES2D,
    PREDICTIONS,
    LabelStore,
    Poses2dStore,
    PredictionStore,
    TruthStore,
    open_store,
)
from pipeline.truth import Truth, open_truth
from pipeline.video.packing import PackedFrames


@dataclass(frozen=True)
class ViewData:
    """One recording in one view; arrays are (frame, joint, ...), with NaN for missing values."""

    recording: Recording
    index: int  # of the view in its recording
    camera: Camera  # as calibrated, or as given if the recording has no labels; without extrinsics
    detected_px: np.ndarray
    confidence: np.ndarray  # (frame, joint), of the detections, 0-1
    outcomes: np.ndarray  # (frame, joint), the ViewStatus of each detection
    box_px: np.ndarray  # (frame, 4): left, top, right, bottom
    label_cam_mm: np.ndarray
    true_cam_mm: np.ndarray
    true_px: np.ndarray
    predicted_px: np.ndarray
    predicted_cam_mm: np.ndarray  # at the true depth of the root, or at the label's depth if there is no truth

    @property
    def view(self) -> View:
        """The view in the manifest."""
        return self.recording.views[self.index]

    @property
    def name(self) -> str:
        """The view's name."""
        return self.view.name

    @property
    def evaluation_only(self) -> bool:
        """Whether the view is excluded from calibration, labels and training."""
        return self.view.evaluation_only

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the packed frames."""
        return self.view.size_px

    @property
    def images(self) -> PackedFrames:
        """The packed frames."""
        return PackedFrames(self.view.file)

    @property
    def swapped(self) -> np.ndarray:
        """Whether triangulation used the detection as the joint of the other side of the body, (frame, joint)."""
        return np.asarray(self.outcomes == ViewStatus.SWAPPED)

    @property
    def used(self) -> np.ndarray:
        """Whether the label was made from the detection, (frame, joint)."""
        return np.isin(self.outcomes, (ViewStatus.USED, ViewStatus.SWAPPED))

    @property
    def sorted_px(self) -> np.ndarray:
        """The detections with left and right as triangulation used them, (frame, joint, 2)."""
        return np.where(self.swapped[..., None], self.detected_px[:, MIRROR], self.detected_px)

    @property
    def label_px(self) -> np.ndarray:
        """The projected labels, (frame, joint, 2)."""
        return self.camera.project_cam(self.label_cam_mm)

    @property
    def has_truth(self) -> bool:
        """Whether any true joint is known."""
        return bool(np.isfinite(self.true_cam_mm).any())

    def at(self, frame: int) -> str:
        """The name of a frame of the view."""
        return f"{self.recording.name}, {self.name}, frame {frame}"


@dataclass(frozen=True)
class ReportData:
    """All data of a capture that the report shows."""

    capture: Capture
    views: list[ViewData]
    status: dict[str, np.ndarray]  # of the labels of each recording, (frame, joint)
    uncertainty_mm: dict[str, np.ndarray]  # of the labels of each recording, (frame, joint)
    references: list[Reference]
    has_scale: bool  # whether the scale of the labels was fixed
    n_crashes: int  # images on which the detector crashed
    supervision: str = ""  # `train.supervision` of the predictions; empty without predictions

    def select(self, split: str, *, evaluation_only: bool = False) -> list[ViewData]:
        """The recordings of a split in their labelling views, or in those for evaluation only."""
        return [
            view for view in self.views
            if view.recording.split == split and view.evaluation_only == evaluation_only
        ]  # fmt: skip

    def of_recording(self, name: str) -> list[ViewData]:
        """All views of a recording."""
        return [view for view in self.views if view.recording.name == name]

    def by_name(self) -> dict[str, list[ViewData]]:
        """The recordings that each view name sees, in the order of the manifest."""
        groups: dict[str, list[ViewData]] = {}
        for view in self.views:
            groups.setdefault(view.name, []).append(view)
        return groups


@dataclass(frozen=True)
class Alternatives:
    """The same capture with other labels or other predictions."""

    baseline: ReportData | None = None  # labels made with the cameras given with the footage
    refined: dict[RefineSource, ReportData] = field(default_factory=dict)  # by the source of the refinement unit


def gather(files: Files, labels_path: Path | None = None) -> ReportData:
    """Read the data of all stages, optionally with the labels of another store, `labels_path`.

    Raises UserError for stores that are inconsistent with the capture or with each other (see `checks`).
    """
    poses2d, labels = open_store(files.poses2d, POSES2D), open_store(labels_path or files.labels, LABELS)
    capture = read_capture(files.frames)
    labels_path = labels_path or files.labels
    truth = open_truth(files.truth, labels_path, labels_path.with_name(files.rigs.name))
    labelled = [recording for recording in capture.recordings if recording.name in labels]
    data = ReportData(
        capture=capture,
        views=[view for recording in capture.recordings for view in _read_views(recording, poses2d, labels, truth)],
        status={r.name: checked_status(labels, r) for r in labelled},
        uncertainty_mm={r.name: labels[r.name].person(0)["uncertainty_mm"] for r in labelled},
        references=read_references(files.pss),
        has_scale=all(labels[r.name].record.rig.scale != "none" for r in labelled),
        n_crashes=sum(sum(poses2d[name].record.crashed.values()) for name in poses2d),
    )
    return _with_predictions(data, files.predictions, poses2d) if files.has_predictions else data


def gather_alternatives(files: Files, data: ReportData) -> Alternatives:
    """Read the labels of the stage `baseline` and the predictions of the stages `refine`, if there are any."""
    baseline = gather(files, files.baseline_labels) if files.baseline_labels else None
    poses2d = open_store(files.poses2d, POSES2D)
    refined = {
        source: _with_predictions(data, files.refined(source) / "predictions.zarr", poses2d)
        for source in files.refined_sources()
    }
    return Alternatives(baseline, refined)


def _read_views(recording: Recording, poses2d: Poses2dStore, labels: LabelStore, truth: Truth | None) -> list[ViewData]:
    """A recording in each of its views, without predictions."""
    n_frames, n_views = recording.n_frames, len(recording.views)

    def read(store: Poses2dStore | LabelStore | TruthStore | None, name: str, *shape: int) -> np.ndarray:
        if store is None or recording.name not in store:
            return np.full(shape, np.nan)
        return read_checked(store, recording, name, shape)

    detected_px = read(poses2d, "joints_px", n_frames, n_views, N_JOINTS, 2)
    confidence = read(poses2d, "confidence", n_frames, n_views, N_JOINTS)
    box_px = read(poses2d, "box_px", n_frames, n_views, 4)
    outcomes = np.nan_to_num(read(labels, "view_status", n_frames, n_views, N_JOINTS)).astype(int)
    label_cam = read(labels, "joints_cam_mm", n_frames, n_views, N_JOINTS, 3)
    true_world = read(truth.store if truth else None, "joints_world_mm", n_frames, N_JOINTS, 3)
    calibrated = labels[recording.name].record.rig.intrinsics if recording.name in labels else None
    true_cameras = truth.cameras(recording) if truth is not None and recording in truth else None
    true_cam = true_cameras.to_cameras(true_world) if true_cameras else np.full_like(label_cam, np.nan)
    views = []
    for v, view in enumerate(recording.views):
        seen_by = true_cameras.intrinsics[v] if true_cameras else view.camera
        views.append(
            ViewData(
                recording, v, calibrated[v] if calibrated else view.camera, detected_px[:, v], confidence[:, v],
                outcomes[:, v], box_px[:, v], label_cam[:, v], true_cam[:, v], seen_by.project_cam(true_cam[:, v]),
                np.full_like(detected_px[:, v], np.nan), np.full_like(true_cam[:, v], np.nan),
            )
        )  # fmt: skip
    return views


def _with_predictions(data: ReportData, path: Path, poses2d: Poses2dStore) -> ReportData:
    """The same data with the predictions of a store.

    Raises UserError if the store lacks recordings, or poses of frames in which the detector found a person.
    """
    predictions = open_store(path, PREDICTIONS)
    refuse_missing_recordings(predictions, poses2d, data.capture)
    views: list[ViewData] = []
    for recording in data.capture.recordings:
        own = data.of_recording(recording.name)
        views += _predicted(own, recording, predictions) if recording.name in predictions else own
    return replace(data, views=views, supervision=predictions.summary.supervision)


def _predicted(views: list[ViewData], recording: Recording, predictions: PredictionStore) -> list[ViewData]:
    shape = (recording.n_frames, len(views), N_JOINTS)
    px = read_checked(predictions, recording, "joints_px", (*shape, 2))
    relative_depth = read_checked(predictions, recording, "relative_depth", shape)
    found = np.stack([np.any(view.confidence > 0, axis=-1) for view in views], 1)
    refuse_gaps(predictions, recording, np.isfinite(px).all(-1) & np.isfinite(relative_depth), found)
    predicted = []
    for v, (view, record) in enumerate(zip(views, predictions[recording.name].record.cameras, strict=True)):
        true_depth, label_depth = view.true_cam_mm[:, ROOT, 2], view.label_cam_mm[:, ROOT, 2]
        depth = np.where(np.isfinite(true_depth), true_depth, label_depth)
        cam = place_at_depth(record.camera, px[:, v], relative_depth[:, v], depth)
        predicted.append(replace(view, predicted_px=px[:, v], predicted_cam_mm=cam))
    return predicted


def place_at_depth(
    camera: Camera, joints_px: np.ndarray, relative_depth: np.ndarray, root_depth_mm: np.ndarray
) -> np.ndarray:
    """Poses (frame, joint, 3) in the camera's frame, mm, with the roots at given depths (frame,).

    The pose is given by pixels (frame, joint, 2) and depths relative to the root's (frame, joint). A pixel so far
    outside the image that the lens model has no ray for it has the ray of a pinhole: its error counts.
    """
    depth_mm = (1 + relative_depth) * root_depth_mm[:, None]
    cam_mm, pinhole = camera.back_project(joints_px, depth_mm), replace(camera, dist=np.zeros(0), fisheye=False)
    known = np.isfinite(cam_mm).all(-1, keepdims=True)
    return np.where(known, cam_mm, pinhole.back_project(joints_px, depth_mm))


def joined(views: Iterable[ViewData], name: str) -> np.ndarray:
    """One array of several recordings and views, concatenated over frames, (pose, joint, ...)."""
    arrays = [getattr(view, name) for view in views]
    width = 2 if name.endswith("_px") else 3
    return np.concatenate(arrays) if arrays else np.empty((0, N_JOINTS, width))
