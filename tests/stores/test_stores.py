"""The stores: written whole or not at all, by whole shards, and read only by the schema they were written with."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.errors import UserError
from pipeline.geometry.camera.model import Camera
from pipeline.stores import (
    FRAMES_PER_SHARD,
    LABELS,
    POSES2D,
    RIGS,
    TRUTH,
    create_store,
    open_store,
    reopen,
)
from tests.world.records import (
    POSES2D_SUMMARY,
    RIGS_SUMMARY,
    TRUTH_SUMMARY,
    label_record,
    labels_summary,
    poses2d_record,
    rig_record,
    truth_record,
)


def test_round_trip(tmp_path):
    joints = np.random.default_rng(0).normal(size=(7, 3, 17, 2)).astype(np.float32)
    with create_store(tmp_path / "poses2d.zarr", POSES2D) as store:
        group = store.create("S1", {"frame": 7, "view": 3}, poses2d_record("Ann", ["a", "b", "c"]))
        group.write(0, {"joints_px": joints[:, None]})
        store.write_summary(POSES2D_SUMMARY)
    store = open_store(tmp_path / "poses2d.zarr", POSES2D)
    assert list(store) == ["S1"]
    assert store.summary == POSES2D_SUMMARY
    assert store["S1"].record == poses2d_record("Ann", ["a", "b", "c"])
    np.testing.assert_array_equal(store["S1"]["joints_px"], joints[:, None])
    np.testing.assert_array_equal(store["S1"].rows("joints_px", 2, 4), joints[2:4, None])
    assert store["S1"]["joints_px"].dtype == float


def test_what_was_not_written_is_seen_as_missing(tmp_path):
    with create_store(tmp_path / "labels.zarr", LABELS, labels_summary()) as store:
        store.create("S1", {"frame": 5, "view": 2}, label_record())
    group = open_store(tmp_path / "labels.zarr", LABELS)["S1"]
    assert np.isnan(group["joints_world_mm"]).all()
    assert (group["status"] == 0).all()
    assert (group["view_status"] == 0).all()


def test_nothing_half_written_gets_the_final_name(tmp_path):
    path = tmp_path / "truth.zarr"
    with pytest.raises(RuntimeError), create_store(path, TRUTH, TRUTH_SUMMARY) as store:
        store.create("S1", {"frame": 5}, truth_record())
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_an_older_result_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "truth.zarr"
    with create_store(path, TRUTH, TRUTH_SUMMARY) as store:
        store.create("old", {"frame": 1}, truth_record())
    with pytest.raises(RuntimeError), create_store(path, TRUTH, TRUTH_SUMMARY) as store:
        raise RuntimeError
    assert "old" in open_store(path, TRUTH)
    with create_store(path, TRUTH, TRUTH_SUMMARY) as store:
        store.create("new", {"frame": 1}, truth_record())
    assert list(open_store(path, TRUTH)) == ["new"]


def test_shards_cover_all_rows_and_only_whole_ones_are_written(tmp_path):
    n = FRAMES_PER_SHARD + 10
    with create_store(tmp_path / "truth.zarr", TRUTH, TRUTH_SUMMARY) as store:
        group = store.create("S1", {"frame": n}, truth_record()).person(0)
        assert group.shards() == [(0, FRAMES_PER_SHARD), (FRAMES_PER_SHARD, n)]
        worker = reopen(store.path, TRUTH)["S1"].person(0)
        values = np.arange(n * 51, dtype=np.float32).reshape(n, 17, 3)
        for start, stop in group.shards():
            worker.write(start, {"joints_world_mm": values[start:stop]})
        with pytest.raises(ValueError, match="do not fill shards"):
            worker.write(0, {"joints_world_mm": values[:10]})
        with pytest.raises(ValueError, match="do not fill shards"):
            worker.write(10, {"joints_world_mm": values[10:]})
        with pytest.raises(ValueError, match="cannot hold"):
            worker.write(0, {"joints_world_mm": values[:FRAMES_PER_SHARD, :3]})
    np.testing.assert_array_equal(open_store(tmp_path / "truth.zarr", TRUTH)["S1"].person(0)["joints_world_mm"], values)


def test_another_schema_or_version_is_refused_with_both_named(tmp_path):
    path = tmp_path / "truth.zarr"
    with create_store(path, TRUTH, TRUTH_SUMMARY):
        pass
    with pytest.raises(UserError, match="holds truth version 3, this code reads truth 9"):
        open_store(path, replace(TRUTH, version=9))
    with pytest.raises(UserError, match="holds truth version 3, this code reads labels"):
        open_store(path, LABELS)


def test_missing_store_and_recording(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        open_store(tmp_path / "none.zarr", TRUTH)
    with create_store(tmp_path / "truth.zarr", TRUTH, TRUTH_SUMMARY):
        pass
    with pytest.raises(UserError, match="has no recording 'S9'"):
        open_store(tmp_path / "truth.zarr", TRUTH)["S9"]


def test_one_shard_file_an_array(tmp_path):
    """DVC slows down with many small files."""
    with create_store(tmp_path / "poses2d.zarr", POSES2D, POSES2D_SUMMARY) as store:
        group = store.create("S1", {"frame": 2000, "view": 4}, poses2d_record()).person(0)
        group.write(0, {"joints_px": np.zeros((2000, 4, 17, 2)), "confidence": np.ones((2000, 4, 17))})
    chunks = [p for p in (tmp_path / "poses2d.zarr").rglob("*") if p.is_file() and p.name != "zarr.json"]
    assert len(chunks) == 2


def change_attributes(path, change):
    """Apply `change` to the attributes in a zarr.json."""
    metadata = json.loads((path / "zarr.json").read_text())
    change(metadata["attributes"])
    (path / "zarr.json").write_text(json.dumps(metadata))


def write_rig(path):
    camera = Camera(np.diag([900.0, 900, 1]), np.array([0.1, 0, 0, 0]), (1000, 800))
    with create_store(path, RIGS, RIGS_SUMMARY) as store:
        group = store.create("S1", {"rig": 2, "view": 2}, rig_record([camera, camera], focal_scale=[1.25, 0.8]))
        t = np.array([[[1.0, 2, 3], [np.nan] * 3], [[4.0, 5, 6], [7, 8, 9]]])
        group.write(0, {"R_cam_from_world": np.broadcast_to(np.eye(3), (2, 2, 3, 3)), "t_cam_from_world_mm": t})


def test_missing_and_unknown_keys_of_a_record_are_refused_with_both_sides_named(tmp_path):
    path = tmp_path / "rigs.zarr"
    write_rig(path)
    change_attributes(path / "S1", lambda a: a.update(focal_factor=a.pop("focal_scale")))
    match = r"RigRecord: focal_scale is missing; focal_factor is not known.*rigs.zarr, S1"
    with pytest.raises(UserError, match=match):
        open_store(path, RIGS)["S1"]


def test_another_type_in_a_record_is_refused(tmp_path):
    path = tmp_path / "rigs.zarr"
    write_rig(path)
    change_attributes(path / "S1", lambda a: a.update(focal_scale=[1.25, "0.8"]))
    with pytest.raises(UserError, match=r"RigRecord: focal_scale.1 = '0.8': .*valid number"):
        open_store(path, RIGS)["S1"]


def test_a_missing_array_is_refused(tmp_path):
    path = tmp_path / "rigs.zarr"
    write_rig(path)
    shutil.rmtree(path / "S1/residual_px")
    with pytest.raises(UserError, match=r"rigs.zarr/S1 has no array residual_px, which this code declares"):
        open_store(path, RIGS)["S1"]["residual_px"]


def test_missing_keys_of_a_summary_are_refused(tmp_path):
    path = tmp_path / "rigs.zarr"
    write_rig(path)
    change_attributes(path, lambda a: a["summary"].pop("rejected"))
    with pytest.raises(UserError, match=r"RigsSummary: rejected is missing.*rigs.zarr"):
        open_store(path, RIGS)


def test_a_store_needs_a_summary(tmp_path):
    with pytest.raises(ValueError, match="was given no TruthSummary"), create_store(tmp_path / "truth.zarr", TRUTH):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_record_holds_no_infinite_numbers():
    with pytest.raises(ValidationError):
        rig_record(focal_std=[float("inf")])


def test_complete_cameras_of_a_rig(tmp_path):
    write_rig(tmp_path / "rigs.zarr")
    group = open_store(tmp_path / "rigs.zarr", RIGS)["S1"]
    assert group.record.focal_scale == [1.25, 0.8]
    first, unknown = group.cameras()
    np.testing.assert_array_equal(first.t_cam_from_world_mm, [1, 2, 3])
    assert unknown.R_cam_from_world is None
    later = group.cameras(1)[1]
    np.testing.assert_array_equal(later.t_cam_from_world_mm, [7, 8, 9])
    np.testing.assert_array_equal(later.K, np.diag([900.0, 900, 1]))
    np.testing.assert_array_equal(later.dist, [0.1, 0, 0, 0])
    assert later.size_px == (1000, 800)


def test_people_are_written_and_read_one_by_one(tmp_path):
    joints = np.random.default_rng(0).normal(size=(2, 5, 17, 3)).astype(np.float32)
    with create_store(tmp_path / "truth.zarr", TRUTH, TRUTH_SUMMARY) as store:
        group = store.create("S1", {"frame": 5}, truth_record("Ann").model_copy(update={"persons": ["Ann", "Bob"]}))
        group.person("Bob").write(0, {"joints_world_mm": joints[1]})
        group.person(0).write(0, {"joints_world_mm": joints[0]})
    group = open_store(tmp_path / "truth.zarr", TRUTH)["S1"]
    assert group["joints_world_mm"].shape == (5, 2, 17, 3)
    for person, name in enumerate(["Ann", "Bob"]):
        view = group.person(name)
        assert view.n_rows == 5
        np.testing.assert_array_equal(view["joints_world_mm"], joints[person])
        np.testing.assert_array_equal(view.at("joints_world_mm", np.array([1, 3])), joints[person, [1, 3]])
        np.testing.assert_array_equal(group["joints_world_mm"][:, person], joints[person])


def test_arrays_that_are_about_nobody_are_the_same_for_everybody(tmp_path):
    with create_store(tmp_path / "truth.zarr", TRUTH, TRUTH_SUMMARY) as store:
        group = store.create("S1", {"frame": 5}, truth_record().model_copy(update={"persons": ["Ann", "Bob"]}))
        group.person("Bob").write(0, {"time_s": np.arange(5) / 7})
    group = open_store(tmp_path / "truth.zarr", TRUTH)["S1"]
    for own in (group, group.person("Ann")):
        np.testing.assert_array_equal(own["time_s"], np.arange(5) / 7)  # not rounded to float32
        np.testing.assert_array_equal(own.at("time_s", np.array([2, 4])), np.array([2, 4]) / 7)


@pytest.mark.parametrize("which", [1, -1, "Bob"])
def test_an_unknown_person_is_refused(tmp_path, which):
    with create_store(tmp_path / "truth.zarr", TRUTH, TRUTH_SUMMARY) as store:
        group = store.create("S1", {"frame": 5}, truth_record("Ann"))
        with pytest.raises(ValueError, match=r"has no person .*Ann"):
            group.person(which)


def test_a_rig_has_no_persons(tmp_path):
    write_rig(tmp_path / "rigs.zarr")
    with pytest.raises(ValueError, match="has no person"):
        open_store(tmp_path / "rigs.zarr", RIGS)["S1"].person(0)
