"""Everything that the report reads, as the stages of the chain would have made it of people who turn."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.files import write_placeholder
from pipeline.params.pss import PssParams
from pipeline.pss import fit_references
from pipeline.report.data.evaluate import Figures, evaluate
from pipeline.report.data.files import MEASURED_STAGES, REFINE_SOURCES, Files
from pipeline.report.data.measurements import measure_capture
from pipeline.report.data.report_data import Alternatives, ReportData, gather
from pipeline.stores import RIGS, open_store
from tests.world.capture import World, turning_people
from tests.world.detections import write_poses2d
from tests.world.frames import write_packed_frames
from tests.world.labels import write_labels
from tests.world.predictions import write_predictions, write_refined
from tests.world.rigs import write_rigs


def files_of(root: Path) -> Files:
    """The files that the report reads from the folders in `root`."""
    return Files(root / "data", root / "models", root / "reports")


def write_detections(world: World, error_px: float = 1.0, n_crashed: int = 0) -> None:
    """2D poses `error_px` too far right; in frame 3 of view 0 nobody was found."""
    write_poses2d(world, offset_px=error_px, margin_px=5.0, confidence=0.9, nobody=(3, 0), n_crashed=n_crashed)


def write_references(world: World) -> None:
    """References of the pose structure score, fitted on the truth."""
    params = PssParams(reference="fit", frozen="", k=[3, 5], source="truth", seed=4)
    fit_references(world.paths.frames, world.paths.labels, world.paths.rigs, world.paths.pss, params)


def write_baseline(world: World) -> None:
    """Labels of the known cameras: the truth without the head in frame 5."""
    write_labels(world, wrist_mm=0.0, path=world.paths.baseline / "labels.zarr")


def write_resources(world: World, *stages: str) -> None:
    """Seconds and memory of some stages, and two training curves."""
    world.paths.resources.mkdir(parents=True, exist_ok=True)
    for n, stage in enumerate(stages, start=1):
        (world.paths.resources / f"{stage}.json").write_text(json.dumps({"seconds": 10.0 * n, "peak_mib": 100 * n}))
    world.paths.plots.mkdir(exist_ok=True)
    world.paths.curve("train").write_text("epoch,loss\n1,0.5\n2,0.25\n")
    world.paths.curve("pretrain").write_text("step,loss\n10,3.0\n20,2.0\n")


def write_all(root: Path, *, refined: tuple[str, ...] = (), **lacking: bool) -> World:
    """Everything that the report reads, from all stages; refined predictions of the sources `refined`.

    `lacking` are arguments of `turning_people`, and `predictions` and `per_frame` (of `write_rigs`).
    """
    predictions, per_frame = lacking.pop("predictions", True), lacking.pop("per_frame", False)
    world = turning_people(root, **lacking)
    write_packed_frames(world)
    write_detections(world)
    write_rigs(world, per_frame=per_frame)
    write_labels(world)
    if lacking.get("truth", True) and lacking.get("extrinsics", True):
        write_baseline(world)
    else:
        write_placeholder(world.paths.baseline, "the footage has no truth to measure by")
    if predictions:
        write_predictions(world)
    for source in REFINE_SOURCES:
        if source in refined:
            write_refined(world, source)
        else:
            write_placeholder(world.paths.refined(source), f"refine.sources does not name {source}")
    write_resources(world, *MEASURED_STAGES)
    write_references(world)
    return world


def measured(
    root: Path,
    *,
    labels: Mapping[str, Any] | None = None,
    rigs: Mapping[str, Any] | None = None,
    predictions: bool = True,
    **lacking: bool,
) -> tuple[Figures, ReportData]:
    """The figures and the data of people who turn, without baseline and refined predictions.

    `labels` and `rigs` are arguments of `write_labels` and `write_rigs`; `lacking` are those of `turning_people`.
    """
    world = turning_people(root, **lacking)
    write_detections(world)
    write_rigs(world, **(rigs or {}))
    write_labels(world, **(labels or {}))
    if predictions:
        write_predictions(world)
    write_references(world)
    files = files_of(root)
    data = gather(files)
    table = measure_capture(data, Alternatives())
    return evaluate(data, Alternatives(), open_store(files.rigs, RIGS), table), data
