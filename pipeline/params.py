"""Typed mirror of params.yaml: every key, its type and its range; no defaults, unknown keys refused.

Run as a program it merges a profile's overrides into params.yaml: python -m pipeline.params profiles/tiny.yaml
"""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.errors import UserError

PARAMS = Path("params.yaml")

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Side = Annotated[int, Field(ge=32, le=8192, multiple_of=2)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Names = Literal["all"] | list[str]
RefineSource = Literal["truth", "labels"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DemoParams(_Section):
    """The rendered demo capture."""

    subjects: Annotated[int, Field(ge=2, le=26)]
    seconds: Positive
    fps: Annotated[float, Field(ge=1, le=240)]
    size_px: Side
    seed: Seed


class CaptureParams(_Section):
    """Where the footage comes from."""

    source: Literal["demo", "videos"]
    root: str
    intrinsics: Literal["file", "assumed"]
    subjects: Names
    test_subjects: list[str]
    demo: DemoParams


class FramesParams(_Section):
    """Frame extraction."""

    every_n_frames: Count
    max_side_px: Side
    jpeg_quality: Annotated[int, Field(ge=1, le=100)]
    unequal_lengths: Literal["reject", "trim"]
    size_mismatch: Literal["reject", "crop", "zoom"]
    size_tolerance: Annotated[float, Field(ge=0, le=0.1)]
    strict: bool


class PretrainParams(_Section):
    """Training of the frozen 2D detector."""

    images: Count
    input_px: Annotated[int, Field(ge=32, le=1024, multiple_of=32)]
    width: Annotated[int, Field(ge=8, le=256)]
    steps: Count
    batch_size: Count
    lr: Positive
    seed: Seed


class DetectParams(_Section):
    """2D detection."""

    detector: Literal["pretrained", "mediapipe"]
    batch_size: Count


class BaselineParams(_Section):
    """The measured distance between two cameras."""

    cameras: Annotated[list[str], Field(min_length=2, max_length=2)]
    mm: Positive

    @field_validator("cameras")
    @classmethod
    def _differ(cls, cameras: list[str]) -> list[str]:
        if cameras[0] == cameras[1]:
            raise ValueError(f"both are {cameras[0]}")
        return cameras


class CalibrateParams(_Section):
    """Self-calibration."""

    mode: Literal["rig", "window", "frame", "known", "adjust"]
    window_frames: Annotated[int, Field(ge=10)]
    focal: Literal["exact", "approximate", "unknown"]
    min_confidence: Fraction
    ignore_distortion: bool
    scale: Literal["bones", "height", "baseline", "none"]
    baseline: BaselineParams
    gravity: Literal["people", "extrinsics"]
    seed: Seed

    @model_validator(mode="after")
    def _focal_needs_one_rig(self) -> Self:
        if self.focal != "exact" and self.mode not in ("rig", "adjust"):
            raise ValueError(f"focal = {self.focal} needs mode rig or refine, not {self.mode}")
        return self


class TriangulateParams(_Section):
    """Triangulation of the labels."""

    method: Literal["linear", "weighted", "pairwise_median", "robust", "robust_bones"]
    min_confidence: Fraction
    min_views: Annotated[int, Field(ge=2)]
    max_reprojection: Positive
    fix_left_right: bool
    bone_tolerance: Annotated[float, Field(gt=0, le=1)]
    smoothing_s: Annotated[float, Field(ge=0, le=1)]


class PssParams(_Section):
    """References of the pose structure score."""

    reference: str
    k: Annotated[list[Annotated[int, Field(ge=2)]], Field(min_length=1)]
    source: Literal["truth", "labels"]
    seed: Seed

    @field_validator("reference")
    @classmethod
    def _exists(cls, reference: str) -> str:
        if reference != "fit" and not Path(reference).is_file():
            raise ValueError("neither fit nor a file")
        return reference


class LoopParams(_Section):
    """A training run of a 3D network."""

    epochs: Count
    batch_size: Count
    lr: Positive
    schedule: Literal["cosine", "step"]
    ema: Annotated[float, Field(ge=0, lt=1)]
    keep: Literal["last", "best"]
    patience: Annotated[int, Field(ge=0)]
    seed: Seed


class AugmentParams(_Section):
    """Random changes of the training crops."""

    rotation_deg: Annotated[float, Field(ge=0, le=180)]
    scale: Annotated[float, Field(ge=1, le=4)]
    occlusion_prob: Fraction
    occluders: str


class LiftingLossParams(_Section):
    """How much each term of a lifting network's loss counts."""

    labels: NotNegative
    reprojection: NotNegative
    transform: NotNegative
    consistency: NotNegative


class LiftingParams(_Section):
    """The lifting network and its objective."""

    backbone: Literal["martinez2017", "li2020", "temporal", "transformer"]
    frames: Annotated[int, Field(ge=1, le=729)]
    width: Annotated[int, Field(ge=16, le=4096, multiple_of=8)]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    losses: LiftingLossParams
    squared: bool
    confidence: Literal["source", "target", "none"]
    root: Literal["labels", "direct", "ray", "least_squares"]
    root_relative: bool
    pretrain_epochs: Annotated[int, Field(ge=0)]
    virtual_views: Annotated[int, Field(ge=0, le=64)]
    freeze_after: Fraction

    @model_validator(mode="after")
    def _fit(self) -> "LiftingParams":
        if self.backbone in ("martinez2017", "li2020") and self.frames != 1:
            raise ValueError(f"backbone {self.backbone} sees one frame: set frames to 1")
        if self.backbone == "temporal" and self.frames not in (3, 9, 27, 81, 243, 729):
            raise ValueError("backbone temporal sees a power of three: set frames to 27, 81 or 243")
        if self.frames % 2 == 0:
            raise ValueError("frames must be odd: the middle one's pose is predicted")
        if not any(self.losses.model_dump().values()):
            raise ValueError("some of losses must count")
        return self


class TrainParams(LoopParams):
    """Training of the 3D network."""

    model: Literal["volumetric", "lifting"]
    supervision: Literal["self", "full", "subset", "mixed", "gt2d"]
    subjects: list[str]
    validation_subjects: list[str]
    weighting: Literal["none", "uncertainty"]
    init: str
    backbone_lr: Annotated[float, Field(gt=0, le=1)]
    backbone: Literal["slim", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
    input_px: Annotated[int, Field(ge=32, le=1024, multiple_of=32)]
    depth_bins: Annotated[int, Field(ge=4, le=256)]
    crop: Literal["box", "metric"]
    augment: AugmentParams
    lifting: LiftingParams
    flip_test: bool

    @model_validator(mode="after")
    def _fits_lifting(self) -> "TrainParams":
        pretrained = self.lifting.pretrain_epochs
        if self.model == "lifting" and pretrained >= self.epochs:
            raise ValueError(f"lifting.pretrain_epochs = {pretrained} leaves none of {self.epochs} epochs")
        return self


class RefineParams(LoopParams):
    """Training of the refinement units, one for each source of their targets."""

    sources: list[RefineSource]

    @field_validator("sources")
    @classmethod
    def _once(cls, sources: list[RefineSource]) -> list[RefineSource]:
        if len(set(sources)) < len(sources):
            raise ValueError("name each source once")
        return sources


class ReportParams(_Section):
    """The report."""

    examples: Count


class Params(_Section):
    """All of params.yaml."""

    capture: CaptureParams
    frames: FramesParams
    pretrain: PretrainParams
    detect: DetectParams
    calibrate: CalibrateParams
    triangulate: TriangulateParams
    pss: PssParams
    train: TrainParams
    refine: RefineParams
    report: ReportParams

    @model_validator(mode="after")
    def _assumed_focal_lengths_are_found(self) -> Self:
        if self.capture.intrinsics == "assumed" and self.calibrate.focal != "unknown":
            raise ValueError(
                f"capture.intrinsics = assumed needs calibrate.focal = unknown, not {self.calibrate.focal}"
            )
        return self


def read_params(path: Path = PARAMS) -> Params:
    """Read and check the whole of params.yaml.

    Raises UserError that names each wrong key and its value.
    """
    try:
        return Params.model_validate(_load(path))
    except ValidationError as error:
        wrong = "; ".join(_explain(e) for e in error.errors())
        raise UserError(wrong, where=str(path), fix="Correct it and run again.") from None


def _load(path: Path) -> Any:
    if not path.exists():
        raise UserError(f"{path} does not exist", fix="Run from the folder that holds it.")
    try:
        return YAML(typ="safe", pure=True).load(path)
    except YAMLError as error:
        raise UserError(f"{path} is not YAML: {error}", fix="Correct it and run again.") from None


def _explain(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"unknown key {key}"
    if error["type"] == "missing":
        return f"{key} is missing"
    return f"{key} = {error['input']!r}: {error['msg'].lower()}"


def merge(overrides: Path, path: Path = PARAMS) -> None:
    """Write the overrides of a profile into params.yaml, keeping its comments."""
    yaml = YAML()
    yaml.width, yaml.preserve_quotes = 120, True
    params = yaml.load(path)
    _update(params, _load(overrides), overrides)
    yaml.dump(params, path)
    read_params(path)


def _update(params: Any, overrides: Any, source: Path) -> None:
    for key, value in overrides.items():
        if key not in params:
            raise UserError(f"unknown key {key}", where=str(source))
        if isinstance(value, dict):
            _update(params[key], value, source)
        else:
            params[key] = value


if __name__ == "__main__":
    try:
        for name in sys.argv[1:]:
            merge(Path(name))
    except UserError as error:
        sys.exit(str(error))
