"""Stores that do not fit the capture or each other are refused, and the message names both."""

import re
from pathlib import Path

import numpy as np
import pytest

from pipeline.capture import read_capture
from pipeline.errors import UserError
from pipeline.report.data.report_data import gather
from pipeline.skeleton import N_JOINTS, joint
from pipeline.stores import LABELS, POSES2D, PREDICTIONS, SIZES, TRUTH, create_store, open_store, reopen
from tests.world.records import PREDICTIONS_SUMMARY, prediction_record
from tests.world.results import files_of, measured

STORES = {
    "labels.zarr": LABELS, "poses2d.zarr": POSES2D, "predictions.zarr": PREDICTIONS, "frames/truth.zarr": TRUTH,
}  # fmt: skip


@pytest.fixture
def world(tmp_path):
    measured(tmp_path)
    return tmp_path


def spoil(world: Path, store: str, name: str, where, value: float, recording: str = "S3-turning"):
    """Write a value into some places of an array of a recording."""
    group = reopen(world / "data" / store, STORES[store])[recording].person(0)
    values = group[name]
    values[where] = value
    group.write(0, {name: values})


def shortened(world: Path, store: str, recording: str = "S3-turning"):
    """Write a store again with 20 of the 24 frames of a recording."""
    path, schema = world / "data" / store, STORES[store]
    old = open_store(path, schema)
    arrays = {name: {a.name: old[name].person(0)[a.name] for a in schema.arrays} for name in old}
    summary, records = old.summary, {name: old[name].record for name in old}
    with create_store(path, schema, summary) as new:
        for name, own in arrays.items():
            n = 20 if name == recording else 24
            group = new.create(name, {"frame": n, "view": 4}, records[name]).person(0)
            group.write(0, {key: values[:n] for key, values in own.items()})


def refused(world: Path, *parts: str):
    """Gathering is refused with a message that has all these parts in this order."""
    with pytest.raises(UserError, match=".*".join(re.escape(part) for part in parts)):
        gather(files_of(world))


@pytest.mark.parametrize(
    ("store", "name", "found", "wanted"),
    [
        ("predictions.zarr", "joints_px", "20 x 4 x 17 x 2", "24 x 4 x 17 x 2"),
        ("labels.zarr", "view_status", "20 x 4 x 17", "24 x 4 x 17"),
        ("poses2d.zarr", "joints_px", "20 x 4 x 17 x 2", "24 x 4 x 17 x 2"),
        ("frames/truth.zarr", "joints_world_mm", "20 x 17 x 3", "24 x 17 x 3"),
    ],
)
def test_other_lengths(world, store, name, found, wanted):
    shortened(world, store)
    refused(world, f"{name} has shape {found}", f"need {wanted}", f"{store}, S3-turning")


def test_another_skeleton(world, monkeypatch):
    monkeypatch.setitem(SIZES, "joint", 16)
    recording = next(r for r in read_capture(world / "data/frames").recordings if r.name == "S3-turning")
    with create_store(world / "data/predictions.zarr", PREDICTIONS, PREDICTIONS_SUMMARY) as store:
        sixteen = np.zeros((24, 4, 16))
        store.create("S3-turning", {"frame": 24, "view": 4}, prediction_record(recording)).person(0).write(
            0, {"joints_px": np.stack([sixteen] * 2, -1), "relative_depth": sixteen}
        )
    refused(world, "joints_px has shape 24 x 4 x 16 x 2", "need 24 x 4 x 17 x 2", "predictions.zarr, S3-turning")


@pytest.mark.parametrize(
    ("store", "name"),
    [
        ("predictions.zarr", "joints_px"), ("predictions.zarr", "relative_depth"), ("labels.zarr", "joints_cam_mm"),
        ("poses2d.zarr", "confidence"), ("frames/truth.zarr", "joints_world_mm"),
    ],
)  # fmt: skip
def test_infinite_values(world, store, name):
    spoil(world, store, name, (np.array([3, 8]), 1), np.inf)
    refused(world, f"values of {name} are infinite", f"{store}, S3-turning")


@pytest.mark.parametrize(
    ("store", "name", "of"),
    [
        ("predictions.zarr", "joints_px", 24 * 4 * 17), ("labels.zarr", "joints_world_mm", 24 * 17),
        ("poses2d.zarr", "box_px", 24 * 4), ("frames/truth.zarr", "joints_world_mm", 24 * 17),
    ],
)  # fmt: skip
def test_half_a_joint(world, store, name, of):
    spoil(world, store, name, (np.array([6, 7, 8]), 2, ..., 0), np.nan)
    rows = {"joints_px": 3 * 17, "box_px": 3}.get(name, 3)
    refused(world, f"{rows} of {of} rows of {name} have only some of their coordinates", f"{store}, S3-turning")


def test_predictions_missing_where_a_person_was_found(world):
    for name in ("joints_px", "relative_depth"):
        spoil(world, "predictions.zarr", name, (np.array([6, 7, 8]), 1), np.nan)
    # In frame 3 of the first view nobody is found.
    refused(world, f"3 of {24 * 4 - 1} predicted poses lack joints", "predictions.zarr, S3-turning, cam1")


def test_predictions_that_lack_a_joint(world):
    spoil(world, "predictions.zarr", "relative_depth", (slice(5, 7), 2, joint("head")), np.nan)
    refused(world, "2 of 95 predicted poses lack joints", "though the detector found", "S3-turning, cam2")


def test_predictions_may_be_missing_where_nobody_was_found(world):
    for name in ("joints_px", "relative_depth"):
        spoil(world, "predictions.zarr", name, (3, 0), np.nan)
    (view,) = [view for view in gather(files_of(world)).select("test") if view.index == 0]
    assert np.isnan(view.predicted_cam_mm[3]).all()
    # But half of a pose may not be missing.
    spoil(world, "predictions.zarr", "relative_depth", (3, 0, slice(0, 9)), 0.1)
    spoil(world, "predictions.zarr", "joints_px", (3, 0, slice(0, 9)), 50.0)
    refused(world, "1 of 95 predicted poses lack joints")


def test_recordings_without_predictions(world):
    with create_store(world / "data/predictions.zarr", PREDICTIONS, PREDICTIONS_SUMMARY):
        pass
    refused(world, "predictions.zarr lacks 1 of 1 test recordings that", "poses2d.zarr has: S3-turning")


def test_a_status_that_contradicts_the_coordinates(world):
    spoil(world, "labels.zarr", "joints_world_mm", (np.array([2, 9]), joint("l_knee")), np.nan, "S1-turning")
    refused(world, f"the status of 2 of {24 * N_JOINTS} labels contradicts", "labels.zarr, S1-turning")
