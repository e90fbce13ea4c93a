"""The sections on how it came about: training curves, what each stage cost, parameters, files and versions."""

import hashlib
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pipeline.params.file import Params
from pipeline.report.data.report_data import Files, ReportData
from pipeline.report.page.blocks import Block, Chart, Section, Table, number
from pipeline.report.page.charts import named_bars, training_curve
from pipeline.stores import LABELS, POSES2D, PREDICTIONS, RIGS, open_store

# What the columns of the curves are called; the learning rate is a parameter's doing and not shown.
CURVES = {
    "train_loss": "loss", "val_n_mpjpe_mm": "N-MPJPE of held-out frames from their labels, mm",
    "val_error_percent": "error on held-out images, % of the box",
}  # fmt: skip
NOT_SHOWN = ("lr",)
PACKAGES = ("numpy", "opencv-python", "torch", "scipy", "scikit-learn", "zarr", "dask", "dvc", "mediapipe")
HASH_DIGITS = 12
MOST_ENTRIES = 24  # of what a store says of single recordings: more are counted, not shown


def training_section(files: Files) -> Section:
    """How the trainings went."""
    blocks: list[Block] = []
    for stage, title in (("train", "3D network"), ("pretrain", "2D detector")):
        if files.curve(stage).exists():
            charts = training_curve(files.curve(stage), NOT_SHOWN)
            blocks += [Chart(f"{title}: {CURVES.get(name, name.replace('_', ' '))}", chart) for name, chart in charts]
    return Section("training", "Training", "Curves of the two trainings.", blocks)


def run_section(
    files: Files, report_data: ReportData, resources: Mapping[str, Mapping[str, float]], params: Params
) -> Section:
    """What was run: costs, parameters, provenance, hashes and versions."""
    blocks: list[Block] = []
    if resources:
        total = sum(one["seconds"] for one in resources.values())
        seconds = {stage: one["seconds"] for stage, one in resources.items()}
        note = f"{number(total / 60)} minutes in all; the report up to here."
        blocks.append(Chart("Time", named_bars(seconds, "seconds"), note))
        memory = {stage: one["peak_mib"] for stage, one in resources.items() if "peak_mib" in one}
        blocks += [Chart("Peak memory", named_bars(memory, "MiB"))] if memory else []
    blocks.append(Table("Parameters", ("key", "value"), _flat(params.model_dump()), words=True))
    blocks.append(Table("Provenance", ("what", "key", "value"), _provenance(files, report_data), words=True))
    versions = [("python", platform.python_version()), *_versions()]
    blocks.append(Table("Versions", ("package", "version"), versions, words=True))
    return Section("run", "What was run", "Enough to run it again.", blocks)


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        inner = _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [(prefix + key, str(value))]
        rows += inner if len(inner) <= MOST_ENTRIES else [(prefix + key, f"{len(inner)} entries")]
    return rows


def _provenance(files: Files, report_data: ReportData) -> list[tuple[str, str, str]]:
    rows = []
    stores = {"detections": (files.poses2d, POSES2D), "rigs": (files.rigs, RIGS), "labels": (files.labels, LABELS),
              "predictions": (files.predictions, PREDICTIONS)}  # fmt: skip
    for name, (path, schema) in stores.items():
        if path.exists():
            said = {"schema": f"{schema.name} {schema.version}", **open_store(path, schema).attrs}
            rows += [(name, key, value) for key, value in _flat(said)]
    for reference in report_data.references:
        metadata = {key: value for key, value in reference.metadata.items() if key not in ("k", "joints")}
        rows += [(f"PSS reference, k = {reference.k}", key, value) for key, value in _flat(metadata)]
    for path in files.weights():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        rows.append((path.name, "sha256", digest[:HASH_DIGITS]))
    return rows


def _versions() -> list[tuple[str, str]]:
    rows = []
    for package in PACKAGES:
        try:
            rows.append((package, version(package)))
        except PackageNotFoundError:
            continue
    return rows
