"""Parameters of the stage `train`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.params.base import Count, Fraction, NotNegative, Positive, Section, Seed


class LoopParams(Section):
    """A training run of a 3D network."""

    epochs: Count
    batch_size: Count
    lr: Positive
    warm_up: Annotated[float, Field(ge=0, lt=1)]
    schedule: Literal["cosine", "step"]
    weight_decay: NotNegative
    clip_grad_norm: NotNegative
    ema: Annotated[float, Field(ge=0, lt=1)]
    keep: Literal["last", "best"]
    patience: Annotated[int, Field(ge=0)]
    seed: Seed


class AugmentParams(Section):
    """Random changes of the training crops."""

    rotation_deg: Annotated[float, Field(ge=0, le=180)]
    scale: Annotated[float, Field(ge=1, le=4)]
    occlusion_prob: Fraction
    occluders: Literal["drawn", "images"]
    occluder_folder: str


class LiftingLossParams(Section):
    """The weight of each term of a lifting network's loss."""

    labels: NotNegative
    reprojection: NotNegative
    transform: NotNegative
    consistency: NotNegative


class LiftingParams(Section):
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
    def _fit(self) -> Self:
        if self.backbone in ("martinez2017", "li2020") and self.frames != 1:
            raise ValueError(f"backbone {self.backbone} sees one frame: set frames to 1")
        if self.backbone == "temporal" and self.frames not in (3, 9, 27, 81, 243, 729):
            raise ValueError("backbone temporal sees a power of three: set frames to 27, 81 or 243")
        if self.frames % 2 == 0:
            raise ValueError("frames must be odd: the middle one's pose is predicted")
        if not any(self.losses.model_dump().values()):
            raise ValueError("at least one of losses must be larger than 0")
        return self


class TrainParams(LoopParams):
    """Training of the 3D network."""

    model: Literal["volumetric", "lifting"]
    supervision: Literal["self", "full", "subset", "mixed", "gt2d"]
    subjects: list[str]
    validation_subjects: list[str]
    weighting: Literal["none", "uncertainty"]
    init: Literal["weights", "random"]
    weights: str
    backbone_lr: Annotated[float, Field(gt=0, le=1)]
    backbone: Literal["slim", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
    width: Annotated[int, Field(ge=8, le=256)]
    input_px: Annotated[int, Field(ge=32, le=1024, multiple_of=32)]
    depth_bins: Annotated[int, Field(ge=4, le=256)]
    crop: Literal["box", "metric"]
    augment: AugmentParams
    lifting: LiftingParams
    flip_test: bool

    @model_validator(mode="after")
    def _fits_lifting(self) -> Self:
        pretrained = self.lifting.pretrain_epochs
        if self.model == "lifting" and pretrained >= self.epochs:
            raise ValueError(f"lifting.pretrain_epochs = {pretrained} leaves none of {self.epochs} epochs")
        return self

    def unused(self) -> set[str]:
        """The keys of the other model, and the path of given weights if the initial weights are random."""
        if self.model == "lifting":
            return {"init", "weights", "backbone_lr", "backbone", "width", "input_px", "depth_bins", "crop", "augment"}
        return {"lifting", "weights", "backbone_lr"} if self.init == "random" else {"lifting"}
