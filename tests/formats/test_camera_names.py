"""Names of videos and cameras that mean the same, and those that do not tell."""

import pytest

from pipeline.errors import UserError
from pipeline.formats.camera_names import match_cameras


@pytest.mark.parametrize(
    ("videos", "cameras", "matched"),
    [
        (["a", "b"], ["b", "a", "c"], ["a", "b"]),
        (["cam1", "Cam1"], ["Cam1", "cam1"], ["cam1", "Cam1"]),
        (["Cam_01", "cam-2"], ["cam1", "cam02", "cam3"], ["cam1", "cam02"]),
        (["cam_1", "cam_2"], ["port_1", "port_2", "port_3"], ["port_1", "port_2"]),
        (["cam11", "cam12"], ["cam_1", "cam_2", "cam_11", "cam_12"], ["cam_11", "cam_12"]),
        (["cam01", "cam02"], ["int_cam1_img", "int_cam2_img"], ["int_cam1_img", "int_cam2_img"]),
        (["S1_walk_cam1", "S1_walk_cam2"], ["1", "2"], ["1", "2"]),
        (["walk_Miqus_1_26578", "walk_Miqus_3_26579"], ["26578", "26579", "40001"], ["26578", "26579"]),
        (["Cam1", "Cam2"], ["sesh_2022-09-19_synced_Cam1", "sesh_2022-09-19_synced_Cam2"], None),
        (["left", "right"], ["cam_left", "cam_right"], None),
        (["2019-08-02-vid01-camA", "2019-08-02-vid01-camB"], ["A", "B"], None),
        (["GoProLeft", "GoProRight"], ["gopro_left", "gopro_right"], None),
        (["kamera ä", "kamera ö"], ["Kamera_Ä", "Kamera_Ö"], None),
    ],
)  # fmt: skip
def test_names_that_mean_the_same(videos, cameras, matched):
    found = match_cameras(videos, cameras)
    assert [found.camera_of[video] for video in videos] == (matched or cameras)
    assert not found.by_order


def test_names_that_differ_are_listed():
    assert match_cameras(["cam1", "cam2"], ["cam1", "cam_2"]).renamed == "cam2 is cam_2"


@pytest.mark.parametrize(
    ("videos", "cameras", "message"),
    [
        (["Cam1", "cam2"], ["cam1", "cam_01", "cam2"], r"Cam1 may be cam1 or cam_01\. Name each video exactly"),
        (["cam1", "cam_1"], ["Cam1", "cam2"], r"cam1 and cam_1 may be Cam1\."),
        (["cam1", "left"], ["cam1", "cam2"], r"left has no camera\. Name each video after .*cam1, cam2"),
        (["left1", "left2"], ["right1", "right2"], r"left1, left2 has no camera"),
        (["front", "back"], ["1", "2"], r"front, back has no camera"),
        (["cam1", "cam2", "cam4"], ["cam_0", "cam_1", "cam_2"], r"cam4 has no camera"),
        (["---", "cam1"], ["***", "cam1"], r"--- has no camera"),
    ],
)
def test_names_that_do_not_tell_are_refused(videos, cameras, message):
    with pytest.raises(UserError, match=message):
        match_cameras(videos, cameras)


def test_numbers_that_start_differently_are_matched_in_order():
    found = match_cameras(["cam10", "cam9", "cam8"], ["port_0", "port_1", "port_2"])
    assert found.by_order
    assert found.camera_of == {"cam8": "port_0", "cam9": "port_1", "cam10": "port_2"}


def test_cameras_without_names_are_matched_in_order():
    found = match_cameras(["right", "left"], ["1", "2"], has_names=False)
    assert found.by_order
    assert found.camera_of == {"left": "1", "right": "2"}
    assert not match_cameras(["cam2", "cam1"], ["1", "2"], has_names=False).by_order
