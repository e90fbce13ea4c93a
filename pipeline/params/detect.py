"""Parameters of the stage `detect`."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.base import Count, Fraction, Section, Seed


class Gt2dParams(Section):
    """Errors that are added to true 2D poses."""

    noise: Annotated[float, Field(ge=0, le=0.5)]
    outliers: Fraction
    missing: Fraction
    seed: Seed


class DetectParams(Section):
    """2D detection."""

    detector: Literal["pretrained", "mediapipe", "files", "gt2d"]
    weights: str
    batch_size: Count
    files: str
    files_pixels: Literal["video", "calibration"]
    gt2d: Gt2dParams

    def unused(self) -> set[str]:
        """The keys of the other sources of 2D poses; and `files`, as what lies there counts and not its path."""
        own = {"files": {"files_pixels"}, "gt2d": {"gt2d"}}.get(self.detector, {"weights", "batch_size"})
        return {"weights", "batch_size", "files", "files_pixels", "gt2d"} - own
