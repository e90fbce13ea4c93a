"""Frozen 2D detectors behind one protocol, one file each; adding one is one file and one line here."""

from collections.abc import Callable
from pathlib import Path

from pipeline.detectors.mediapipe import MediapipeDetector
from pipeline.detectors.pretrained import PretrainedDetector
from pipeline.detectors.protocol import Detector
from pipeline.params.detect import DetectParams

# Built from the weights of the stage pretrain (which a detector may ignore) and the parameters.
DETECTORS: dict[str, Callable[[Path, DetectParams], Detector]] = {
    "pretrained": PretrainedDetector,
    "mediapipe": MediapipeDetector,
}


def load_detector(weights: Path, params: DetectParams) -> Detector:
    """The detector named by the parameters."""
    return DETECTORS[params.detector](weights, params)
