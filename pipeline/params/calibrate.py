"""Parameters of the stage `calibrate`."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from pipeline.params.base import Fraction, Positive, Section, Seed


class BaselineParams(Section):
    """The measured distance between two cameras."""

    cameras: Annotated[list[str], Field(min_length=2, max_length=2)]
    mm: Positive

    @field_validator("cameras")
    @classmethod
    def _differ(cls, cameras: list[str]) -> list[str]:
        if cameras[0] == cameras[1]:
            raise ValueError(f"both are {cameras[0]}")
        return cameras


class CalibrateParams(Section):
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

    def unused(self) -> set[str]:
        """The keys of the modes and of the sources of scale that are not chosen."""
        windows = set() if self.mode == "window" else {"window_frames"}
        return windows if self.scale == "baseline" else windows | {"baseline"}

    @model_validator(mode="after")
    def _focal_needs_one_rig(self) -> Self:
        if self.focal != "exact" and self.mode not in ("rig", "adjust"):
            raise ValueError(f"focal = {self.focal} needs mode rig or adjust, not {self.mode}")
        return self
