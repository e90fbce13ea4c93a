"""The only package that uses Zarr: declares and opens every array and record of every store."""

from pipeline.stores.detections import Detections
from pipeline.stores.records import (
    CameraRecord,
    LabelRecord,
    LabelsSummary,
    Mode,
    NoiseRecord,
    PairRecord,
    Poses2dRecord,
    Poses2dSummary,
    PredictionRecord,
    PredictionsSummary,
    Record,
    ResidualsRecord,
    RigRecord,
    RigsSummary,
    TimeRecord,
    TruthRecord,
    TruthSummary,
    ViewGraphRecord,
)
from pipeline.stores.schemas import LABELS, POSES2D, PREDICTIONS, RIGS, SIZES, TRUTH, Array, Schema
from pipeline.stores.store import (
    FRAMES_PER_SHARD,
    RecordingGroup,
    Store,
    create_store,
    open_store,
    reopen,
)

LabelStore = Store[LabelRecord, LabelsSummary]
Poses2dStore = Store[Poses2dRecord, Poses2dSummary]
PredictionStore = Store[PredictionRecord, PredictionsSummary]
RigStore = Store[RigRecord, RigsSummary]
TruthStore = Store[TruthRecord, TruthSummary]

__all__ = [
    "FRAMES_PER_SHARD", "LABELS", "POSES2D", "PREDICTIONS", "RIGS", "SIZES", "TRUTH", "Array", "CameraRecord",
    "Detections", "LabelRecord", "LabelStore", "LabelsSummary", "Mode", "NoiseRecord", "PairRecord", "Poses2dRecord",
    "Poses2dStore", "Poses2dSummary", "PredictionRecord", "PredictionStore", "PredictionsSummary", "Record",
    "RecordingGroup", "ResidualsRecord", "RigRecord", "RigStore", "RigsSummary", "Schema", "Store", "TimeRecord",
    "TruthRecord", "TruthStore", "TruthSummary", "ViewGraphRecord", "create_store", "open_store", "reopen",
]  # fmt: skip
