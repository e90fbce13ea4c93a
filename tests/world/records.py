"""Records of the stores for tests that write stores without their stages: plausible values that a test can replace."""

from collections.abc import Sequence
from typing import Any

from pipeline.capture import Recording
from pipeline.geometry.camera.model import Camera
from pipeline.geometry.view_time import ViewTime
from pipeline.skeleton import N_JOINTS
from pipeline.stores import (
    CameraRecord,
    LabelRecord,
    LabelsSummary,
    NoiseRecord,
    Poses2dRecord,
    Poses2dSummary,
    PredictionRecord,
    PredictionsSummary,
    ResidualsRecord,
    RigRecord,
    RigsSummary,
    TimeRecord,
    TruthRecord,
    TruthSummary,
    ViewGraphRecord,
)

TRUTH_SUMMARY = TruthSummary(source="test", is_aligned=False)
POSES2D_SUMMARY = Poses2dSummary(detector={"name": "test", "version": "1", "sha256": "0"}, alerts=[])
RIGS_SUMMARY = RigsSummary(mode="rig", detections=POSES2D_SUMMARY, calibrated=1, rejected={}, alerts=[])
NOISE = NoiseRecord(
    dof=4.0, variance=[1.0] * N_JOINTS, shared=0.0, by_rig=[0.0] * N_JOINTS, n_left_out=0, left_out_px=[]
)  # fmt: skip
PREDICTIONS_SUMMARY = PredictionsSummary(split="test", supervision="self", refined_by=None, alerts=[])


def labels_summary(**changes: Any) -> LabelsSummary:
    fields: dict[str, Any] = dict(
        method="robust", params={}, rigs=RIGS_SUMMARY, joints=[], statuses={}, view_statuses={}, valid=0, rejected={},
        rejected_by_recording={}, recordings_without_rig=[], views_by_recording={}, alerts=[],
    )  # fmt: skip
    return LabelsSummary(**{**fields, **changes})


def camera_records(cameras: Sequence[Camera]) -> list[CameraRecord]:
    return [CameraRecord.of(f"c{v}", camera) for v, camera in enumerate(cameras)]


def truth_record(person: str = "S1") -> TruthRecord:
    return TruthRecord(persons=[person], source="test", sha256="", coordinates="world", missing=[])


def poses2d_record(person: str = "S1", views: Sequence[str] = ()) -> Poses2dRecord:
    return Poses2dRecord(persons=[person], views=list(views), found={}, crashed={})


def rig_record(cameras: Sequence[Camera] = (), **changes: Any) -> RigRecord:
    fields: dict[str, Any] = dict(
        cameras=camera_records(cameras), times=[TimeRecord.of(f"c{v}", ViewTime()) for v in range(len(cameras))],
        mode="rig", moving=False, scale="bones", gravity="people",
        scale_std=0.06, gravity_std_deg=2.0,
        ignore_distortion=False, focal="exact", focal_scale=[1.0] * len(cameras), focal_std=[0.0] * len(cameras),
        pool=[], n_frames=1, n_poses=1,
        inlier_share=1.0, noise_share=0.02, parallax_deg=None, moved_deg=None, views_left_out=[], failed_frames={},
        view_graph=ViewGraphRecord(pairs=[], isolated=[], bridged={}),
        residuals=ResidualsRecord(landmarks=[], by_view=[None] * len(cameras), by_landmark=[]),
    )  # fmt: skip
    return RigRecord(**{**fields, **changes})


def label_record(person: str = "S1", cameras: Sequence[Camera] = (), **changes: Any) -> LabelRecord:
    return LabelRecord(persons=[person], rig=rig_record(cameras, **changes), noise=NOISE)


def prediction_record(recording: Recording) -> PredictionRecord:
    cameras = [CameraRecord.of(view.name, view.camera) for view in recording.views]
    return PredictionRecord(persons=[recording.subject], cameras=cameras)
