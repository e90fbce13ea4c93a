"""Parameters of the stage `capture`."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.base import Positive, Section, Seed, Side


class DemoParams(Section):
    """The rendered demo capture."""

    subjects: Annotated[int, Field(ge=2, le=26)]
    seconds: Positive
    fps: Annotated[float, Field(ge=1, le=240)]
    size_px: Side
    seed: Seed


class CaptureParams(Section):
    """The source of the footage."""

    source: Literal["demo", "videos"]
    root: str
    intrinsics: Literal["file", "assumed"]
    image_fps: Annotated[float, Field(ge=0.1, le=1000)]
    subjects: Literal["all"] | list[str]
    test_subjects: list[str]
    demo: DemoParams

    def unused(self) -> set[str]:
        """For the demo, the keys of a folder of footage; for other sources, the keys of the demo."""
        return {"root", "intrinsics", "image_fps"} if self.source == "demo" else {"demo"}
