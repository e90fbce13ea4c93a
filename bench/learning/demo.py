"""Experiments on the demo capture, each with several seeds; the results are those of `dvc exp run -S ...`.

The folder of the demo is one in which `dvc repro` was run; it is not changed. Every run gets its own folder with the
same layout, in which the files that the run does not change are links. A run whose folder
exists is not repeated, so an interrupted comparison continues where it ended, and several processes can share it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from pipeline.capture_paths import CapturePaths
from pipeline.files import atomic_write
from pipeline.labels.calibrate import calibrate_capture
from pipeline.labels.triangulate import triangulate_capture
from pipeline.learning.refinement.refine import refine_predictions
from pipeline.learning.train import train_network
from pipeline.params.file import Params, read_params
from pipeline.report.data.evaluate import part_figures
from pipeline.report.data.files import Files
from pipeline.report.data.measurements import measured_poses, with_predictions
from pipeline.report.data.report_data import gather

DATA = "demo"
# Arguments of `dvc exp run -S`.
LIFTING = ("train.model=lifting", "train.epochs=100", "train.lr=5e-3")
IMAGES = tuple(f"train.lifting.losses.{term}" for term in ("labels=0", "reprojection=1", "transform=1"))
EXPERIMENTS: dict[str, tuple[str, ...]] = {
    "truth": ("train.supervision=full",),
    "labels, true cameras": ("calibrate.mode=known",),
    "labels, self-calibrated": (),
    "labels of true 2D poses": ("train.supervision=gt2d",),
    "truth of S1, labels of the others": ("train.supervision=mixed",),
    "truth of S1 alone": ("train.supervision=subset",),
    "labels, all alike": ("train.weighting=none",),
    "labels, refined by the truth of others": ("refine.sources=[truth]",),
    "labels, refined by labels": ("refine.sources=[labels]",),
    "lifting, truth": (*LIFTING, "train.supervision=full"),
    "lifting, labels": LIFTING,
    "lifting, labels, li2020": (*LIFTING, "train.lifting.backbone=li2020"),
    "lifting, labels, temporal 27": (*LIFTING, "train.lifting.backbone=temporal", "train.lifting.frames=27"),
    "lifting, labels, transformer 27": (
        *LIFTING, "train.lifting.backbone=transformer", "train.lifting.frames=27", "train.lifting.width=128",
    ),
    "lifting, labels, 8 virtual views": (*LIFTING, "train.lifting.virtual_views=8"),
    "lifting, transform re-projection": (*LIFTING, *IMAGES),
    "lifting, transform re-projection and consistency": (*LIFTING, *IMAGES, "train.lifting.losses.consistency=1"),
}  # fmt: skip
COMMANDS = {
    name: " ".join(["dvc exp run", *(f"-S {quote(change)}" for change in changes)])
    for name, changes in EXPERIMENTS.items()
}
FIRST_SEED = 5  # the seed in params.yaml
PARTS = {"": "test", "new_view_": "test_new_view"}
MEASURES = ("mpjpe_mm", "n_mpjpe_mm", "pa_mpjpe_mm")


def results(demo: Path, names: list[str], seeds: range, kept: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """The name and the figures of every experiment, seed by seed; the runs are kept in a folder."""
    for seed in seeds:
        for name in names:
            changes = (*EXPERIMENTS[name], f"train.seed={FIRST_SEED + seed}")
            yield name, json.loads((run(demo, changes, kept) / "figures.json").read_text())


def run(demo: Path, changes: tuple[str, ...], kept: Path) -> Path:
    """The folder of a run with some changes of the parameters; the run is made if the folder does not exist."""
    folder = kept / " ".join(changes)
    if not folder.exists():
        params = changed(read_params(), changes)
        with atomic_write(folder) as aside:
            files = Files(aside / "data", aside / "models", aside / "reports")
            _link(demo, aside, ("data/frames", "data/poses2d.zarr", "models/detector.pt", "models/pss.npz"))
            if params.refine.sources:
                trained = run(demo, tuple(change for change in changes if not change.startswith("refine.")), kept)
                _link(trained, aside, ("data/rigs.zarr", "data/labels.zarr", "models/pose3d.pt"))
                _refine(files, CapturePaths(trained / "data", trained / "models", trained / "reports"), params)
            else:
                _label(files, params, demo, aside)
                _train(files, params)
            (aside / "figures.json").write_text(json.dumps(figures(files)) + "\n")
    return folder


def _train(files: Files, params: Params) -> None:
    train_network(files, files.detector, params.train)


def _refine(files: Files, trained: CapturePaths, params: Params) -> None:
    source = params.refine.sources[0]
    folder = files.refined(source)
    folder.mkdir(parents=True)
    refine_predictions(source, trained, trained.detector, folder, params.refine, params.train)
    (folder / "predictions.zarr").rename(files.predictions)


def changed(params: Params, changes: tuple[str, ...]) -> Params:
    """The parameters with changes, written as for `dvc exp run -S`."""
    values = params.model_dump()
    for change in changes:
        key, _, value = change.partition("=")
        *path, last = key.split(".")
        section: dict[str, Any] = values
        for name in path:
            section = section[name]
        section[last] = YAML(typ="safe").load(value)
    return Params.model_validate(values)


def _link(there: Path, here: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).symlink_to((there / name).resolve())


def _label(files: Files, params: Params, demo: Path, folder: Path) -> None:
    """Make the labels, or link to the demo's labels if the parameters of the calibration are the same."""
    if params.calibrate == read_params().calibrate:
        _link(demo, folder, ("data/rigs.zarr", "data/labels.zarr"))
    else:
        calibrate_capture(files.frames, files.poses2d, files.rigs, params.calibrate)
        triangulate_capture(files.frames, files.poses2d, files.rigs, files.labels, params.triangulate)


def figures(files: Files) -> dict[str, float]:
    """Errors in mm of predictions of unseen people, in the views that make labels and in the evaluation view."""
    report_data = gather(files)
    views = {part: report_data.select("test", evaluation_only=part == "test_new_view") for part in PARTS.values()}
    table = pd.concat(
        [measured_poses(part, with_predictions(seen), report_data, "predicted_cam_mm") for part, seen in views.items()]
    )
    found = {part: part_figures(table, part) for part in PARTS.values()}
    return {f"{before}{name}": found[part][name] for before, part in PARTS.items() for name in MEASURES}
