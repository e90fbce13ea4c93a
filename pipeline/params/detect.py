"""Parameters of the stage `detect`."""

from typing import Literal

from pipeline.params.base import Count, Section


class DetectParams(Section):
    """2D detection."""

    detector: Literal["pretrained", "mediapipe"]
    weights: str
    batch_size: Count
