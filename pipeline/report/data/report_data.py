"""What the report looks at: every recording as each of its views sees it, detections, labels, predictions and truth."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.capture import Capture, Recording, View, read_capture
from pipeline.geometry.camera.model import Camera
from pipeline.geometry.triangulation.labelling import ViewStatus
from pipeline.pss import Reference, read_references
from pipeline.report.data.checks import counted, fitting, refuse_gaps, refuse_left_out
from pipeline.skeleton import MIRROR, N_JOINTS, ROOT
from pipeline.stores import LABELS, POSES2D, PREDICTIONS, TRUTH, Store, focal_scales, open_store

STAGES = ("capture", "frames", "pretrain", "detect", "calibrate", "triangulate", "pss", "train", "report")


@dataclass(frozen=True)
class Files:
    """Where the stages put what the report reads, below the three folders it is given."""

    data: Path
    models: Path
    reports: Path

    @property
    def frames(self) -> Path:
        """Manifest, packed frames and truth."""
        return self.data / "frames"

    @property
    def poses2d(self) -> Path:
        """The detections."""
        return self.data / "poses2d.zarr"

    @property
    def rigs(self) -> Path:
        """The cameras as found."""
        return self.data / "rigs.zarr"

    @property
    def labels(self) -> Path:
        """The labels."""
        return self.data / "labels.zarr"

    @property
    def predictions(self) -> Path:
        """The network's predictions."""
        return self.data / "predictions.zarr"

    @property
    def pss(self) -> Path:
        """The references of the pose structure score."""
        return self.models / "pss.npz"

    def weights(self) -> list[Path]:
        """The networks, as far as there are any."""
        return [path for path in (self.models / "detector.pt", self.models / "pose3d.pt") if path.exists()]

    def curve(self, stage: str) -> Path:
        """The training curve of a stage."""
        return self.reports / "plots" / f"{stage}.csv"

    def resources(self) -> dict[str, dict[str, float]]:
        """Seconds and peak memory of each stage before the report, as far as they were written down."""
        paths = {stage: self.reports / "resources" / f"{stage}.json" for stage in STAGES if stage != "report"}
        return {stage: json.loads(path.read_text()) for stage, path in paths.items() if path.exists()}


@dataclass(frozen=True)
class ViewData:
    """One recording as one view sees it; arrays (frame, joint, ...) that are NaN where something is not known."""

    recording: Recording
    v: int  # the view's place in the recording
    detected_px: np.ndarray
    confidence: np.ndarray  # (frame, joint), of the detections, 0-1
    swapped: np.ndarray  # (frame, joint), whether the labels took the detection for the other side's joint
    box_px: np.ndarray  # (frame, 4)
    label_cam_mm: np.ndarray
    true_cam_mm: np.ndarray
    true_px: np.ndarray
    predicted_px: np.ndarray
    predicted_cam_mm: np.ndarray  # at the true depth of the root, or the label's where there is no truth

    @property
    def view(self) -> View:
        """The view."""
        return self.recording.views[self.v]

    @property
    def sorted_px(self) -> np.ndarray:
        """The detections with left and right as the labels took them, (frame, joint, 2)."""
        return np.where(self.swapped[..., None], self.detected_px[:, MIRROR], self.detected_px)

    @property
    def has_truth(self) -> bool:
        """Whether any true joint is known."""
        return bool(np.isfinite(self.true_cam_mm).any())


@dataclass(frozen=True)
class ReportData:
    """Everything at hand."""

    capture: Capture
    seen: list[ViewData]
    status: dict[str, np.ndarray]  # of the labels of each recording, (frame, joint)
    uncertainty_mm: dict[str, np.ndarray]  # of the same, (frame, joint)
    view_status: dict[str, np.ndarray]  # what became of each view's detections, (frame, view, joint)
    references: list[Reference]
    reasons: dict[int, str]  # what the codes of `status` mean
    detection_outcomes: dict[int, str]  # what those of `view_status` mean
    metric: bool  # whether the labels' scale was fixed
    supervision: str  # what taught the network, as `train.supervision` has it; empty without predictions

    def select(self, split: str, *, evaluation_only: bool = False) -> list[ViewData]:
        """The recordings of a split in their labelling views, or in those for evaluation only."""
        return [
            seen for seen in self.seen if seen.recording.split == split and seen.view.evaluation_only == evaluation_only
        ]


def gather(files: Files, labels_path: Path) -> ReportData:
    """Read everything; the labels from `labels_path`, as the report also measures others than the stage's.

    Raises UserError for stores that do not fit the capture or each other, as `checks` has it.
    """
    poses2d, labels = open_store(files.poses2d, POSES2D), open_store(labels_path, LABELS)
    capture = read_capture(files.frames).scale_focal(focal_scales(labels))
    predictions = open_store(files.predictions, PREDICTIONS) if files.predictions.exists() else None
    truth_path = files.frames / "truth.zarr"
    truth = open_store(truth_path, TRUTH) if truth_path.exists() else None
    if predictions is not None:
        refuse_left_out(predictions, poses2d, capture)
    seen: list[ViewData] = []
    for recording in capture.recordings:
        seen += _see_all(recording, poses2d, labels, predictions, truth)
    labelled = [recording for recording in capture.recordings if recording.name in labels]
    status = {r.name: counted(labels, r) for r in labelled}
    uncertainty_mm, view_status = (
        {r.name: labels[r.name][name] for r in labelled} for name in ("uncertainty_mm", "view_status")
    )
    metric = all(labels[name].attrs.get("scale", "none") != "none" for name in status)
    supervision = str(predictions.attrs.get("supervision", "")) if predictions is not None else ""
    reasons, detection_outcomes = (
        {code: name.replace("_", " ") for name, code in labels.attrs.get(key, {}).items()}
        for key in ("statuses", "view_statuses")
    )
    references = read_references(files.pss)
    return ReportData(
        capture, seen, status, uncertainty_mm, view_status, references, reasons, detection_outcomes, metric,
        supervision,
    )  # fmt: skip


def _see_all(
    recording: Recording, poses2d: Store, labels: Store, predictions: Store | None, truth: Store | None
) -> list[ViewData]:
    """A recording as each of its views sees it; what is not there is NaN."""
    moment, views = (recording.n_frames,), (recording.n_frames, len(recording.views))

    def read(store: Store | None, name: str, *shape: int) -> np.ndarray:
        if store is None or recording.name not in store:
            return np.full(shape, np.nan)
        return fitting(store, recording, name, shape)

    detected_px, box_px = read(poses2d, "joints_px", *views, N_JOINTS, 2), read(poses2d, "box_px", *views, 4)
    confidence = read(poses2d, "confidence", *views, N_JOINTS)
    swapped = read(labels, "view_status", *views, N_JOINTS) == ViewStatus.EXCHANGED
    label_cam = read(labels, "joints_cam_mm", *views, N_JOINTS, 3)
    predicted_px = read(predictions, "joints_px", *views, N_JOINTS, 2)
    relative_depth = read(predictions, "relative_depth", *views, N_JOINTS)
    if predictions is not None and recording.name in predictions:
        given = np.isfinite(predicted_px).all(-1) & np.isfinite(relative_depth)
        refuse_gaps(predictions, recording, given, found=np.any(confidence > 0, axis=-1))
    true_world = read(truth, "joints_world_mm", *moment, N_JOINTS, 3)
    seen = []
    for v, view in enumerate(recording.views):
        camera = view.camera
        true_cam = camera.to_camera(true_world) if camera.known else np.full_like(true_world, np.nan)
        depth = np.where(np.isfinite(true_cam[:, ROOT, 2]), true_cam[:, ROOT, 2], label_cam[:, v, ROOT, 2])
        predicted_cam = place(camera, predicted_px[:, v], relative_depth[:, v], depth)
        seen.append(
            ViewData(
                recording, v, detected_px[:, v], confidence[:, v], swapped[:, v], box_px[:, v], label_cam[:, v],
                true_cam, _project(camera, true_cam), predicted_px[:, v], predicted_cam,
            )
        )  # fmt: skip
    return seen


def place(camera: Camera, joints_px: np.ndarray, relative_depth: np.ndarray, root_depth_mm: np.ndarray) -> np.ndarray:
    """Poses (frame, joint, 3) in the camera's frame from pixels, relative depths and the roots' depths (frame,)."""
    return camera.back_project(joints_px, (1 + relative_depth) * root_depth_mm[:, None])


def _project(camera: Camera, joints_cam_mm: np.ndarray) -> np.ndarray:
    at_origin = camera.posed(np.eye(3), np.zeros(3))
    return at_origin.project(joints_cam_mm)


def joined(seen: Iterable[ViewData], name: str) -> np.ndarray:
    """One array of several recordings and views, frames after frames, (pose, joint, ...)."""
    arrays = [getattr(one, name) for one in seen]
    width = 2 if name.endswith("_px") else 3
    return np.concatenate(arrays) if arrays else np.empty((0, N_JOINTS, width))
