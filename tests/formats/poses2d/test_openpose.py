"""OpenPose's folders of files, as programs write them and as they break."""

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.poses2d.openpose import open_views
from pipeline.formats.poses2d.skeletons import SKELETONS
from tests.formats.poses2d.files import BODY_25, openpose, person, write_openpose


@pytest.mark.parametrize("name", ["BODY_25", "BODY_25B", "COCO_18", "HALPE_26"])
def test_people_of_each_frame(tmp_path, name):
    points = SKELETONS[name]
    frames = {0: [person(points)], 1: [], 2: [person(points, (100, 5)), person(points, (9, 0))]}
    [(view, poses)] = open_views(write_openpose(tmp_path / "cam1_json", frames)).items()
    assert (view, poses.skeleton, poses.points, poses.size_px) == ("cam1_json", name, points, None)
    np.testing.assert_array_equal(poses.numbers, [0, 1, 2])
    people = poses.read(np.array([0, 1, 2]))
    np.testing.assert_array_equal(people.rows, [0, 2, 2])
    np.testing.assert_allclose(people.points_px[1], person(points, (100, 5))[:, :2])
    np.testing.assert_allclose(people.confidence, 0.8)
    np.testing.assert_array_equal(poses.read(np.array([2])).rows, [0, 0])


def test_people_who_appear_late_tell_the_skeleton(tmp_path):
    frames = {**{n: [] for n in range(119)}, 119: [person(BODY_25)]}
    [poses] = open_views(write_openpose(tmp_path / "a", frames)).values()
    assert poses.skeleton == "BODY_25"


def test_files_without_anybody_have_no_skeleton(tmp_path):
    [poses] = open_views(write_openpose(tmp_path / "a", {0: [], 1: []})).values()
    assert (poses.skeleton, poses.points, len(poses.numbers)) == ("", (), 2)


def test_a_folder_may_hold_several_views(tmp_path):
    write_openpose(tmp_path, {0: [person(BODY_25)]}, "cam1")
    write_openpose(tmp_path, {0: [person(BODY_25)], 1: []}, "cam2")
    assert {view: len(poses.numbers) for view, poses in open_views(tmp_path).items()} == {"cam1_": 1, "cam2_": 2}


def test_broken_files_are_counted_with_their_reason(tmp_path):
    folder = write_openpose(tmp_path / "a", {n: [person(BODY_25)] for n in range(4)})
    names = sorted(path.name for path in folder.iterdir())
    (folder / names[1]).write_text('{"people": [')
    (folder / names[2]).write_text(openpose([person(BODY_25)[:20]]))
    [poses] = open_views(folder).values()
    people = poses.read(np.arange(4))
    np.testing.assert_array_equal(people.rows, [0, 3])
    assert set(people.broken) == {1, 2}
    assert "JSONDecodeError" in people.broken[1]
    assert "a person has 20 points instead of 25" in people.broken[2]


def test_two_files_of_a_frame_and_files_without_a_number_are_refused(tmp_path):
    folder = write_openpose(tmp_path / "a", {1: [person(BODY_25)]})
    (folder / "cam_1.json").write_text(openpose([]))
    with pytest.raises(UserError, match=r"are of the same frame, 1 \(.*a\)"):
        open_views(folder)
    (folder / "cam_1.json").rename(folder / "last.json")
    with pytest.raises(UserError, match=r"last\.json has no frame number"):
        open_views(folder)


def test_other_folders_are_not_openpose(tmp_path):
    assert open_views(tmp_path) == {}
    (tmp_path / "settings_1.json").write_text("[1, 2]")
    (tmp_path / "settings_2.json").write_text("{")
    assert open_views(tmp_path) == {}
    assert open_views(tmp_path / "settings_1.json") == {}
