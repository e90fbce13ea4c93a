"""DeepLabCut's HDF5 files in both layouts of pandas, written here without PyTables."""

import pickle

import h5py
import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.poses2d.hdf5.deeplabcut import open_views

COLUMNS = [("net", part, coord) for part in ("left_knee", "right_knee") for coord in ("x", "y", "likelihood")]
VALUES = np.array([[1, 2, 0.9, 3, 4, 0.8], [5, 6, 0.7, np.nan, np.nan, 0.1]])


def write_table(path, columns=COLUMNS, values=VALUES, names=None):
    table = np.zeros(len(values), [("index", "i8"), ("values_block_0", "f8", (len(columns),))])
    table["index"], table["values_block_0"] = np.arange(len(values)), values
    with h5py.File(path, "w") as file:
        group = file.create_group("df_with_missing")
        group.attrs["pandas_type"] = np.bytes_(b"frame_table")
        group.attrs["non_index_axes"] = np.bytes_(pickle.dumps([(1, columns)], 0) if names is None else names)
        group["table"] = table
    return path


def write_arrays(path, columns=COLUMNS, values=VALUES):
    with h5py.File(path, "w") as file:
        group = file.create_group("df_with_missing")
        group.attrs["pandas_type"] = np.bytes_(b"frame")
        group.attrs["block0_items_nlevels"] = len(columns[0])
        for i, level in enumerate(zip(*columns, strict=True)):
            names, labels = np.unique(level, return_inverse=True)
            group[f"block0_items_level{i}"] = names.astype("S")
            group[f"block0_items_label{i}"] = labels.astype("i1")
        group["axis1"], group["block0_values"] = np.arange(len(values)), values
    return path


@pytest.mark.parametrize("write", [write_table, write_arrays])
def test_a_row_for_each_frame(tmp_path, write):
    [(view, poses)] = open_views(write(tmp_path / "cam1DLC_resnet50.h5")).items()
    assert (view, poses.points) == ("cam1", ("left_knee", "right_knee"))
    people = poses.read(np.array([0, 1]))
    np.testing.assert_array_equal(people.points_px[0], [[1, 2], [3, 4]])
    np.testing.assert_allclose(people.confidence, [[0.9, 0.8], [0.7, 0]])


@pytest.mark.parametrize("write", [write_table, write_arrays])
def test_several_individuals(tmp_path, write):
    columns = [("net", person, *column[1:]) for person in "ab" for column in COLUMNS]
    [poses] = open_views(write(tmp_path / "a.h5", columns, np.hstack([VALUES, VALUES + 100]))).values()
    np.testing.assert_array_equal(poses.read(np.array([1])).points_px[:, 0, 0], [5, 105])


def test_nothing_but_plain_names_is_unpickled(tmp_path):
    with pytest.raises(UserError, match=r"The names of the columns cannot be read: .*is not a plain value"):
        open_views(write_table(tmp_path / "a.h5", names=pickle.dumps([(1, [np.sum])], 0)))


@pytest.mark.parametrize("write", [write_table, write_arrays])
def test_tables_of_something_else_are_refused(tmp_path, write):
    with pytest.raises(UserError, match="is not one of points"):
        open_views(write(tmp_path / "a.h5", [("net", "speed", f"v{i}") for i in range(6)]))


def test_other_files_are_not_deeplabcut(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = 1
    assert open_views(tmp_path / "a.h5") == {}
