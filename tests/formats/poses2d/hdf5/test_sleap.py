"""SLEAP's analysis files."""

import h5py
import numpy as np

from pipeline.formats.poses2d.hdf5.sleap import open_views


def write(path, tracks, **more):
    with h5py.File(path, "w") as file:
        file["tracks"] = tracks
        file["node_names"] = np.array([b"left_knee", b"right_knee"])
        for name, value in more.items():
            file[name] = value
    return path


def test_people_points_and_scores(tmp_path):
    tracks = np.full((2, 2, 2, 3), np.nan)  # people, xy, points, frames
    tracks[0, :, :, 0], tracks[1, :, :, 0], tracks[1, :, 1, 2] = [[1, 2], [3, 4]], [[11, 12], [13, 14]], (5, 6)
    scores = np.full((2, 2, 3), 0.5)
    path = write(tmp_path / "labels.v001.analysis.h5", tracks, point_scores=scores, video_path="C:\\walk\\cam2.mp4")
    [(view, poses)] = open_views(path).items()
    assert (view, poses.points) == ("cam2", ("left_knee", "right_knee"))
    people = poses.read(np.arange(3))
    np.testing.assert_array_equal(people.rows, [0, 0, 2])
    np.testing.assert_array_equal(people.points_px[1], [[11, 13], [12, 14]])
    np.testing.assert_array_equal(people.confidence[2], [0, 0.5])


def test_dimensions_that_are_named_may_have_another_order(tmp_path):
    path = write(tmp_path / "cam1.analysis.h5", np.arange(1.0, 25).reshape(3, 2, 2, 2))
    with h5py.File(path, "a") as file:
        file["tracks"].attrs["dims"] = '["frame", "track", "node", "xy"]'
    [poses] = open_views(path).values()
    np.testing.assert_array_equal(poses.read(np.array([1])).points_px[:, :, 0], [[9, 11], [13, 15]])


def test_without_scores_and_video(tmp_path):
    [(view, poses)] = open_views(write(tmp_path / "cam1.analysis.h5", np.ones((1, 2, 2, 1)))).items()
    assert view == "cam1"
    np.testing.assert_array_equal(poses.read(np.array([0])).confidence, [[1, 1]])


def test_other_files_are_not_sleap(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["tracks"] = 1
    assert open_views(tmp_path / "a.h5") == {}
