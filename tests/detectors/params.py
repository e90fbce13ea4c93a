"""Parameters of detection that tests start from."""

from typing import Any

from pipeline.params.detect import DetectParams, Gt2dParams

GT2D = Gt2dParams(noise=0.0, outliers=0.0, missing=0.0, seed=5)


def detect_params(**changes: Any) -> DetectParams:
    fields: dict[str, Any] = dict(
        detector="pretrained", weights="models/detector.pt", batch_size=4, files="footage", files_pixels="video",
        gt2d=GT2D,
    )  # fmt: skip
    return DetectParams(**(fields | changes))
