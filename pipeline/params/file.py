"""params.yaml: read, checked as a whole, and shared out to the stages."""

from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.errors import UserError
from pipeline.params.base import Section
from pipeline.params.calibrate import CalibrateParams
from pipeline.params.capture import CaptureParams
from pipeline.params.detect import DetectParams
from pipeline.params.frames import FramesParams
from pipeline.params.pretrain import PretrainParams
from pipeline.params.pss import PssParams
from pipeline.params.refine import RefineParams
from pipeline.params.report import ReportParams
from pipeline.params.train import TrainParams
from pipeline.params.triangulate import TriangulateParams

PARAMS = Path("params.yaml")


class Params(Section):
    """All of params.yaml."""

    capture: CaptureParams
    frames: FramesParams
    pretrain: PretrainParams
    detect: DetectParams
    calibrate: CalibrateParams
    triangulate: TriangulateParams
    pss: PssParams
    train: TrainParams
    refine: RefineParams
    report: ReportParams

    @model_validator(mode="after")
    def _assumed_focal_lengths_are_found(self) -> Self:
        if self.capture.intrinsics == "assumed" and self.calibrate.focal != "unknown":
            raise ValueError(
                f"capture.intrinsics = assumed needs calibrate.focal = unknown, not {self.calibrate.focal}"
            )
        return self


def read_params(path: Path = PARAMS) -> Params:
    """Read and check the whole of params.yaml.

    Raises UserError that names each wrong key and its value.
    """
    try:
        return Params.model_validate(load_yaml(path))
    except ValidationError as error:
        wrong = "; ".join(_explain(e) for e in error.errors())
        raise UserError(wrong, where=str(path), fix="Correct it and run again.") from None


def load_yaml(path: Path) -> Any:
    """The plain values of a file of YAML 1.2. Raises UserError where it is missing or no YAML."""
    if not path.exists():
        raise UserError(f"{path} does not exist", fix="Run from the folder that holds it.")
    try:
        return YAML(typ="safe", pure=True).load(path)
    except YAMLError as error:
        raise UserError(f"{path} is not YAML: {error}", fix="Correct it and run again.") from None


def _explain(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"unknown key {key}"
    if error["type"] == "missing":
        return f"{key} is missing"
    return f"{key} = {error['input']!r}: {error['msg'].lower()}"
