"""The stores: written whole or not at all, by whole shards, and read only by the schema they were written with."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.stores import FRAMES_PER_SHARD, LABELS, POSES2D, TRUTH, create_store, open_store, reopen


def test_round_trip(tmp_path):
    joints = np.random.default_rng(0).normal(size=(7, 3, 17, 2)).astype(np.float32)
    with create_store(tmp_path / "poses2d.zarr", POSES2D, detector="x") as store:
        store.create("S1", {"frame": 7, "view": 3}, views=["a", "b", "c"]).write(0, {"joints_px": joints})
        store.update_attrs(found=3)
    store = open_store(tmp_path / "poses2d.zarr", POSES2D)
    assert list(store) == ["S1"]
    assert store.attrs == {"detector": "x", "found": 3}
    assert store["S1"].attrs == {"views": ["a", "b", "c"]}
    np.testing.assert_array_equal(store["S1"]["joints_px"], joints)
    np.testing.assert_array_equal(store["S1"].rows("joints_px", 2, 4), joints[2:4])
    assert store["S1"]["joints_px"].dtype == float


def test_what_was_not_written_is_seen_as_missing(tmp_path):
    with create_store(tmp_path / "labels.zarr", LABELS) as store:
        store.create("S1", {"frame": 5, "view": 2})
    group = open_store(tmp_path / "labels.zarr", LABELS)["S1"]
    assert np.isnan(group["joints_world_mm"]).all()
    assert (group["status"] == 0).all()
    assert (group["view_status"] == 0).all()


def test_nothing_half_written_gets_the_final_name(tmp_path):
    path = tmp_path / "truth.zarr"
    with pytest.raises(RuntimeError), create_store(path, TRUTH) as store:
        store.create("S1", {"frame": 5})
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_an_older_result_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "truth.zarr"
    with create_store(path, TRUTH) as store:
        store.create("old", {"frame": 1})
    with pytest.raises(RuntimeError), create_store(path, TRUTH) as store:
        raise RuntimeError
    assert "old" in open_store(path, TRUTH)
    with create_store(path, TRUTH) as store:
        store.create("new", {"frame": 1})
    assert list(open_store(path, TRUTH)) == ["new"]


def test_shards_cover_all_rows_and_only_whole_ones_are_written(tmp_path):
    n = FRAMES_PER_SHARD + 10
    with create_store(tmp_path / "truth.zarr", TRUTH) as store:
        group = store.create("S1", {"frame": n})
        assert group.shards() == [(0, FRAMES_PER_SHARD), (FRAMES_PER_SHARD, n)]
        worker = reopen(store.path, TRUTH)["S1"]
        values = np.arange(n * 51, dtype=np.float32).reshape(n, 17, 3)
        for start, stop in group.shards():
            worker.write(start, {"joints_world_mm": values[start:stop]})
        with pytest.raises(ValueError, match="do not fill shards"):
            worker.write(0, {"joints_world_mm": values[:10]})
        with pytest.raises(ValueError, match="do not fill shards"):
            worker.write(10, {"joints_world_mm": values[10:]})
        with pytest.raises(ValueError, match="cannot hold"):
            worker.write(0, {"joints_world_mm": values[:FRAMES_PER_SHARD, :3]})
    np.testing.assert_array_equal(open_store(tmp_path / "truth.zarr", TRUTH)["S1"]["joints_world_mm"], values)


def test_another_schema_or_version_is_refused_with_both_named(tmp_path):
    path = tmp_path / "truth.zarr"
    with create_store(path, TRUTH):
        pass
    with pytest.raises(UserError, match="holds truth version 1, this code reads truth 2"):
        open_store(path, replace(TRUTH, version=2))
    with pytest.raises(UserError, match="holds truth version 1, this code reads labels"):
        open_store(path, LABELS)


def test_missing_store_and_recording(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        open_store(tmp_path / "none.zarr", TRUTH)
    with create_store(tmp_path / "truth.zarr", TRUTH):
        pass
    with pytest.raises(UserError, match="has no recording 'S9'"):
        open_store(tmp_path / "truth.zarr", TRUTH)["S9"]


def test_one_shard_file_an_array(tmp_path):
    """DVC slows down with many small files."""
    with create_store(tmp_path / "poses2d.zarr", POSES2D) as store:
        group = store.create("S1", {"frame": 2000, "view": 4})
        group.write(0, {"joints_px": np.zeros((2000, 4, 17, 2)), "confidence": np.ones((2000, 4, 17))})
    chunks = [p for p in (tmp_path / "poses2d.zarr").rglob("*") if p.is_file() and p.name != "zarr.json"]
    assert len(chunks) == 2
