"""The sections on training curves, resources, parameters, files and versions."""

import hashlib
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from math import inf
from pathlib import Path
from typing import Any

from pipeline.files import placeholder_reason
from pipeline.params.file import Params
from pipeline.report.data.files import Files
from pipeline.report.data.report_data import ReportData
from pipeline.report.page.blocks import Block, Chart, Section, Table, number
from pipeline.report.page.charts import named_bars, training_curve
from pipeline.stores import LABELS, POSES2D, PREDICTIONS, RIGS, TRUTH, open_store

# Titles of the curves' columns; other columns keep their names.
CURVES = {
    "train_loss": "loss", "val_n_mpjpe_mm": "N-MPJPE of validation poses from their labels, mm",
    "val_error_percent": "error on validation images, % of the box",
}  # fmt: skip
NOT_SHOWN = ("lr",)  # set by a parameter
PACKAGES = ("numpy", "opencv-python", "torch", "scipy", "scikit-learn", "zarr", "dask", "dvc", "mediapipe")
HASH_DIGITS = 12
MAX_ENTRIES = 24  # shown of a store's value, which may have an entry per recording; of more only the number


def training_section(files: Files) -> Section:
    """The training curves."""
    blocks: list[Block] = []
    for title, path in files.curves().items():
        charts = training_curve(path, NOT_SHOWN)
        blocks += [Chart(f"{title}: {CURVES.get(name, name.replace('_', ' '))}", chart) for name, chart in charts]
    return Section("training", "Training", "The curves of all trainings of this run.", blocks)


def run_section(
    files: Files, data: ReportData, resources: Mapping[str, Mapping[str, float]], params: Params
) -> Section:
    """Resources, parameters, summaries of the stores, hashes and versions."""
    blocks: list[Block] = []
    if resources:
        seconds = {stage: one["seconds"] for stage, one in resources.items()}
        note = f"{number(sum(seconds.values()) / 60)} minutes in total; the report until it writes this page."
        blocks.append(Chart("Time", named_bars(seconds, "seconds"), note))
        memory = {stage: one["peak_mib"] for stage, one in resources.items() if "peak_mib" in one}
        blocks += [Chart("Peak memory", named_bars(memory, "MiB"))] if memory else []
    blocks.append(Table("Parameters", ("key", "value"), _flat(params.model_dump()), words=True))
    blocks.append(Table("Provenance", ("source", "key", "value"), _provenance(files, data), words=True))
    versions = [("python", platform.python_version()), *_versions()]
    blocks.append(Table("Versions", ("package", "version"), versions, words=True))
    return Section("run", "This run", "All that is needed to repeat it.", blocks)


def _flat(values: Mapping[str, Any], most_entries: float = inf, prefix: str = "") -> list[tuple[str, str]]:
    """The leaves of nested values by dotted keys; for groups with too many leaves, only the number of leaves."""
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        inner = (
            _flat(value, most_entries, f"{prefix}{key}.") if isinstance(value, dict) else [(prefix + key, str(value))]
        )
        rows += inner if len(inner) <= most_entries else [(prefix + key, f"{len(inner)} entries")]
    return rows


def _provenance(files: Files, data: ReportData) -> list[tuple[str, str, str]]:
    rows = []
    stores: dict[str, tuple[Path, Any]] = {
        "detections": (files.poses2d, POSES2D), "rigs": (files.rigs, RIGS), "labels": (files.labels, LABELS),
        "predictions": (files.predictions, PREDICTIONS),
        **{f"refined on {source}": (files.refined(source) / "predictions.zarr", PREDICTIONS)
           for source in files.refined_sources()},
    }  # fmt: skip
    for name, (path, schema) in stores.items():
        if placeholder_reason(path) is None and path.exists():
            summary = open_store(path, schema).summary.model_dump(mode="json")
            summary["schema"] = f"{schema.name} {schema.version}"
            flat = _flat(summary, MAX_ENTRIES)
            rows += [(name, key, value) for key, value in flat if not key.endswith("alerts")]  # they have a section
    rows += _files_of_truth(files.truth)
    for reference in data.references:
        metadata = {key: value for key, value in reference.metadata.items() if key not in ("k", "joints")}
        rows += [(f"PSS reference, k = {reference.k}", key, value) for key, value in _flat(metadata, MAX_ENTRIES)]
    for path in files.weights():
        file = path.relative_to(files.data if path.is_relative_to(files.data) else files.models)
        rows.append((file.as_posix(), "sha256", hashlib.sha256(path.read_bytes()).hexdigest()[:HASH_DIGITS]))
    return rows


def _files_of_truth(path: Path) -> list[tuple[str, str, str]]:
    """The file that the truth of each recording is from, or how many there are."""
    store = open_store(path, TRUTH) if path.exists() else None
    records = {name: store[name].record for name in store} if store else {}
    if len(records) > MAX_ENTRIES:
        return [("truth", "recordings", str(len(records)))]
    return [
        ("truth", name, f"{one.source} {one.sha256[:HASH_DIGITS]}, {one.coordinates}".replace(" ,", ","))
        for name, one in records.items()
    ]  # fmt: skip


def _versions() -> list[tuple[str, str]]:
    rows = []
    for package in PACKAGES:
        try:
            rows.append((package, version(package)))
        except PackageNotFoundError:
            continue
    return rows
