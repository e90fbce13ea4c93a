"""Parameters of the stage `frames`."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.base import Count, Section, Side


class FramesParams(Section):
    """Frame extraction."""

    every_n_frames: Count
    max_side_px: Side
    jpeg_quality: Annotated[int, Field(ge=1, le=100)]
    unequal_lengths: Literal["reject", "trim"]
    size_mismatch: Literal["reject", "crop", "zoom"]
    size_tolerance: Annotated[float, Field(ge=0, le=0.1)]
    strict: bool
