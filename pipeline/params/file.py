"""Reads params.yaml, checks it as a whole, and writes each stage's part of it."""

from pathlib import Path
from typing import Any, Self, get_args

from pydantic import ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.errors import UserError
from pipeline.files import atomic_write
from pipeline.params.base import Section
from pipeline.params.calibrate import CalibrateParams
from pipeline.params.capture import CaptureParams
from pipeline.params.detect import DetectParams
from pipeline.params.frames import FramesParams
from pipeline.params.pretrain import PretrainParams
from pipeline.params.pss import PssParams
from pipeline.params.refine import RefineParams, RefineSource
from pipeline.params.report import ReportParams
from pipeline.params.settings import has_settings, read_settings, write_settings
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


def read_params(path: Path = PARAMS, *, where: str = "") -> Params:
    """Read and check all of params.yaml.

    Raises UserError with each wrong key and its value; `where` says where they are, the file if it is empty.
    """
    try:
        return Params.model_validate(load_yaml(path))
    except ValidationError as error:
        wrong = "; ".join(_explain(e) for e in error.errors())
        raise UserError(wrong, where=where or str(path), fix="Correct it and run again.") from None


def load_yaml(path: Path) -> Any:
    """The plain values of a file of YAML 1.2. Raises UserError if the file is missing or is not YAML."""
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
    if isinstance(error["input"], dict):  # keys that do not go together: their names and values are in the message
        said = error["msg"].removeprefix("Value error, ")
        return f"{key}: {said}" if key else str(said)
    return f"{key} = {error['input']!r}: {error['msg'].lower()}"


def write_stage_settings(params: Params, detector: Path, folder: Path) -> None:
    """Write for each stage the sections it reads into `STAGE.json`, without the keys that have no effect.

    A stage that has nothing to do gets no section: `pretrain` if nothing needs the weights that it writes to
    `detector`, and `refine` for sources that are not in `refine.sources`. Raises UserError if sections contradict each
    other.
    """
    _check_width(params, detector)
    known_rig = params.calibrate.model_copy(update={"mode": "known", "focal": "exact"})
    needed = needs_detector(params, detector)
    sections: dict[str, dict[str, Section]] = {
        "capture": {"capture": params.capture},
        "frames": {"frames": params.frames},
        "pretrain": {"pretrain": params.pretrain} if needed else {},
        "detect": {"detect": params.detect},
        "calibrate": {"calibrate": params.calibrate},
        "triangulate": {"triangulate": params.triangulate},
        "pss": {"pss": params.pss},
        "train": {"train": params.train},
        "baseline": {"calibrate": known_rig, "triangulate": params.triangulate},
        "report": {"report": params.report},
    }
    for source in get_args(RefineSource):
        wanted = source in params.refine.sources
        sections[f"refine_{source}"] = {"refine": params.refine, "train": params.train} if wanted else {}
    with atomic_write(folder) as aside:
        aside.mkdir()
        for stage, own in sections.items():
            write_settings(aside / f"{stage}.json", own)


def read_stage_settings(folder: Path) -> Params:
    """All sections that the stage `settings` wrote for the stages, with only the keys that have an effect."""
    kinds: dict[str, Any] = {name: field.annotation for name, field in Params.model_fields.items()}
    own = {path: path.stem.partition("_")[0] for path in sorted(folder.glob("*.json"))}
    found = {path: name for path, name in own.items() if name in kinds and has_settings(path, name)}
    return Params.model_construct(**{name: read_settings(path, name, kinds[name]) for path, name in found.items()})


def needs_detector(params: Params, detector: Path) -> bool:
    """Whether the 2D detector or the initial weights of the 3D network are the ones that `pretrain` trains."""
    detects = params.detect.detector == "pretrained" and Path(params.detect.weights) == detector
    return detects or _starts_from(detector, params.train)


def _starts_from(detector: Path, train: TrainParams) -> bool:
    return train.model == "volumetric" and train.init == "weights" and Path(train.weights) == detector


def _check_width(params: Params, detector: Path) -> None:
    width, given = params.train.width, params.pretrain.width
    if _starts_from(detector, params.train) and params.train.backbone == "slim" and width != given:
        what = f"train.width = {width}, but the detector that the network starts from has pretrain.width = {given}"
        raise UserError(what, where="params.yaml", fix="Make them the same, or set train.init to random.")
