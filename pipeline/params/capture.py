"""Parameters of the stage `capture`."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from pipeline.params.base import Positive, Section, Seed, Side

# The orders of axes that are rotations, and those that are with one or three of the axes reversed.
EVEN, ODD = ("xyz", "yzx", "zxy"), ("xzy", "yxz", "zyx")


class DemoParams(Section):
    """The rendered demo capture."""

    subjects: Annotated[int, Field(ge=2, le=26)]
    seconds: Positive
    fps: Annotated[float, Field(ge=1, le=240)]
    size_px: Side
    seed: Seed


class TruthParams(Section):
    """The files of true joints beside the videos."""

    coordinates: Literal["none", "world", "camera", "aligned"]
    camera: str
    axes: Annotated[str, Field(pattern="^(-?[xyz]){3}$")]
    start_s: Annotated[float, Field(ge=-86400, le=86400)]

    @field_validator("axes")
    @classmethod
    def _rotate(cls, axes: str) -> str:
        letters, is_mirrored = axes.replace("-", ""), axes.count("-") % 2 == 1
        if letters not in (ODD if is_mirrored else EVEN):
            raise ValueError("the three axes must differ and be right-handed, for example zxy or x-zy")
        return axes

    def unused(self) -> set[str]:
        """The keys that the choice of coordinates leaves without effect."""
        if self.coordinates == "none":
            return {"camera", "axes", "start_s"}
        return {"world": {"camera"}, "camera": set(), "aligned": {"camera", "axes"}}[self.coordinates]


class CaptureParams(Section):
    """The source of the footage."""

    source: Literal["demo", "videos"]
    root: str
    intrinsics: Literal["file", "assumed"]
    image_fps: Annotated[float, Field(ge=0.1, le=1000)]
    subjects: Literal["all"] | list[str]
    test_subjects: list[str]
    truth: TruthParams
    demo: DemoParams

    def unused(self) -> set[str]:
        """For the demo, the keys of a folder of footage; for other sources, the keys of the demo."""
        return {"root", "intrinsics", "image_fps", "truth"} if self.source == "demo" else {"demo"}
