"""The detectors by the names that `detect.detector` may take."""

import importlib
from collections.abc import Callable
from pathlib import Path

from pipeline.detectors.protocol import Detector
from pipeline.params.detect import DetectParams

# MODULE:CLASS, imported when it is chosen, so that no detector needs the libraries of another. A class is built from
# the path of the weights (`detect.weights`) and the parameters. Adding a detector is one module and one line here,
# and its name among the choices of DetectParams.
DETECTORS = {
    "pretrained": "pipeline.detectors.pretrained:PretrainedDetector",
    "mediapipe": "pipeline.detectors.mediapipe:MediapipeDetector",
}


def load_detector(weights: Path, params: DetectParams) -> Detector:
    """The detector that the parameters name.

    Raises UserError if its library or its weights are missing or incompatible.
    """
    module, _, name = DETECTORS[params.detector].partition(":")
    build: Callable[[Path, DetectParams], Detector] = getattr(importlib.import_module(module), name)
    return build(weights, params)
