"""People of a file: what counts as missing, and how rows are looked up."""

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.poses2d.people import LoadedPoses, People, check_unique


def test_points_without_confidence_or_place_are_missing():
    values = [[[5, 6, 0.5], [7, 8, 0], [0, 0, 0.9], [np.nan, 3, 0.9], [-4, 2, 7.0], [3, np.inf, 1]]]
    people = People.of([0], values)
    np.testing.assert_array_equal(people.confidence, [[0.5, 0, 0, 0, 1, 0]])
    np.testing.assert_array_equal(people.points_px[0, [0, 4]], [[5, 6], [-4, 2]])
    assert np.isnan(people.points_px[0, [1, 2, 3, 5]]).all()


def test_people_without_points_are_left_out_and_the_others_ordered_by_frame():
    values = np.ones((3, 2, 3)) * np.array([4, 5, 6])[:, None, None]
    values[1, :, 2] = 0
    people = People.of([2, 0, 1], values)
    np.testing.assert_array_equal(people.rows, [1, 2])
    np.testing.assert_array_equal(people.points_px[:, 0, 0], [6, 4])


def test_rows_of_loaded_poses_are_those_of_the_numbers():
    values = np.arange(9.0).reshape(3, 1, 3) + 1
    poses = LoadedPoses("file", "named", ("a",), None, np.array([3, 5, 8]), np.array([8, 3, 3]), values)
    people = poses.read(np.array([0, 2]))
    np.testing.assert_array_equal(people.rows, [0, 0, 1])
    np.testing.assert_array_equal(people.points_px[:, 0, 0], [4, 7, 1])
    assert len(poses.read(np.array([1])).rows) == 0
    assert len(poses.read(np.zeros(0, int)).rows) == 0


def test_two_files_of_a_frame_are_refused():
    with pytest.raises(UserError, match=r"a_1\.json and a_01\.json are of the same frame, 1"):
        check_unique(np.array([0, 1, 1]), ["a_0.json", "a_1.json", "a_01.json"], "folder")
    check_unique(np.array([0, 1]), ["a", "b"], "folder")
