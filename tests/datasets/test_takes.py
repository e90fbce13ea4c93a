"""Which videos of a folder make which recording; files need not be videos for this."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.datasets.takes import Take, alerts_of_links, camera_name, check_names, choose_subjects, find_takes
from pipeline.errors import UserError
from tests.datasets.footage import footage


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_a_folder_per_take(tmp_path):
    names = [
        "S1_walk_fast/b.mp4",
        "S1_walk_fast/a.MOV",
        "Ann/a.mp4",
        ".old/a.mp4",
        "notes/plan.txt",
        "S1_walk_fast/.b.mp4",
    ]
    takes = find_takes(touch(tmp_path, *names))
    assert [(take.name, take.subject, take.action) for take in takes] == [
        ("Ann", "Ann", ""),
        ("S1_walk_fast", "S1", "walk_fast"),
    ]
    assert [video.name for video in takes[1].videos] == ["a.MOV", "b.mp4"]


def test_videos_directly_in_the_folder_are_one_take(tmp_path):
    (take,) = find_takes(touch(tmp_path / "S3_sit", "cam1.MP4", "cam2.avi", ".cam3.mp4"))
    assert (take.name, take.folder, [v.name for v in take.videos]) == (
        "S3_sit", tmp_path / "S3_sit", ["cam1.MP4", "cam2.avi"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["S1/a.mp4", "a.mp4"], r"both directly and in folders"),
        (["S1/a.txt"], r"holds no videos.*SUBJECT_ACTION/CAMERA.mp4"),
    ],
)
def test_another_layout_is_refused(tmp_path, names, message):
    with pytest.raises(UserError, match=message):
        find_takes(touch(tmp_path, *names))


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"none does not exist \(capture.root\)"):
        find_takes(tmp_path / "none")


def test_subjects_are_chosen_by_name(tmp_path):
    takes = find_takes(touch(tmp_path, "S1_a/a.mp4", "S2_a/a.mp4", "S3_a/a.mp4"))
    assert choose_subjects(takes, "all") == takes
    assert [take.name for take in choose_subjects(takes, ["S3", "S1"])] == ["S1_a", "S3_a"]
    with pytest.raises(UserError, match=r"No footage of S5 \(capture.subjects\). There are S1, S2, S3"):
        choose_subjects(takes, ["S1", "S5"])
    with pytest.raises(UserError, match="No subject is chosen"):
        choose_subjects(takes, [])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["cam1.mp4"], r"only one camera: cam1.mp4.*at least two"),
        (["cam1.avi", "cam1.mp4", "cam2.mp4"], r"several videos of one camera: cam1.avi, cam1.mp4"),
    ],
)
def test_names_of_videos_are_those_of_two_or_more_cameras(tmp_path, names, message):
    with pytest.raises(UserError, match=message):
        check_names(Take("S1", tmp_path, [tmp_path / name for name in names]))


def test_a_take_whose_folder_is_a_link_is_an_alert(tmp_path):
    touch(tmp_path, "elsewhere/a.mp4", "footage/S1_walk/a.mp4", "footage/S3_sit/a.mp4")
    (tmp_path / "footage" / "S2_run").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "footage" / "S3_sit" / "b.mp4").symlink_to(tmp_path / "elsewhere" / "a.mp4")
    takes = find_takes(tmp_path / "footage")
    [alert] = alerts_of_links(takes)
    assert (alert.kind, alert.severity, alert.subject) == ("linked_folder", "warning", "S2_run")
    assert alerts_of_links([takes[0], takes[2]]) == []


def images(folder: Path, n: int = 3) -> Path:
    folder.mkdir(parents=True)
    for i in range(n):
        cv2.imwrite(str(folder / f"{i}.png"), np.zeros((8, 8, 3), np.uint8))
    return folder


def test_folders_of_images_are_views_where_there_are_no_videos(tmp_path):
    for camera in ("cam.1", "cam.2"):
        images(tmp_path / "S1_walk" / camera)
    images(tmp_path / "S1_walk" / "calibration")
    images(tmp_path / "S1_walk" / "thumbnail", 1)
    [take] = find_takes(tmp_path)
    assert [camera_name(video) for video in take.videos] == ["cam.1", "cam.2"]
    check_names(take)
    [direct] = find_takes(tmp_path / "S1_walk")
    assert direct.videos == take.videos


def test_folders_of_images_beside_videos_are_ignored(tmp_path):
    root = footage(tmp_path)
    images(root / "boards")
    images(root / "S1_walk" / "debug")
    [take] = find_takes(root)
    assert [camera_name(video) for video in take.videos] == ["cam1", "cam2"]
