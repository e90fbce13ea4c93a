"""Parameters of the stage `detect`."""

from typing import Literal

from pipeline.params.base import Count, Section


class DetectParams(Section):
    """2D detection."""

    detector: Literal["pretrained", "mediapipe", "files"]
    weights: str
    batch_size: Count
    files: str
    files_pixels: Literal["video", "calibration"]

    def unused(self) -> set[str]:
        """For `files`, the keys of detectors that look at images; the path too, as what lies there counts."""
        return {"weights", "batch_size", "files"} if self.detector == "files" else {"files", "files_pixels"}
