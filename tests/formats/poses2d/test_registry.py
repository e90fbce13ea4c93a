"""The search of a folder for 2D poses of any format."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.poses2d.registry import FORMATS, open_folder
from tests.formats.poses2d.files import BODY_25, COCO_17, person, write_openpose


def test_poses_are_found_below_the_folder_and_beside_other_files(tmp_path):
    for view in ("cam1_json", "cam2_json"):
        write_openpose(tmp_path / "pose" / view, {0: [person(BODY_25)]})
    (tmp_path / "cam1.mp4").touch()
    (tmp_path / "settings.json").write_text("{}")
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    (tmp_path / ".hidden").mkdir()
    write_openpose(tmp_path / ".hidden" / "cam3", {0: [person(BODY_25)]})
    assert sorted(open_folder(tmp_path)) == ["cam1_json", "cam2_json"]


def test_files_of_views_beside_each_other(tmp_path):
    for view in ("cam1", "cam2"):
        np.savez(tmp_path / f"{view}.npz", points_px=person(COCO_17)[None, :, :2], names=COCO_17)
    assert sorted(open_folder(tmp_path)) == ["cam1", "cam2"]


def test_a_view_in_two_files_is_refused(tmp_path):
    for program in ("a", "b"):
        write_openpose(tmp_path / program / "cam1", {0: [person(BODY_25)]})
    with pytest.raises(UserError, match=r"a/cam1 and .*b/cam1 are both of view cam1"):
        open_folder(tmp_path)


def test_the_same_poses_in_two_formats_are_read_once(tmp_path):
    np.savez(tmp_path / "cam1.npz", points_px=person(COCO_17)[None, :, :2], names=COCO_17)
    columns = ",".join(f"{name}_{axis}" for name in COCO_17 for axis in "xy")
    values = ",".join(map(str, person(COCO_17)[:, :2].ravel()))
    (tmp_path / "cam1.csv").write_text(f"frame,{columns}\n0,{values}\n")
    assert open_folder(tmp_path)["cam1"].where.endswith("cam1.csv")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("cam1.npz", b"", "cannot be read as npz"),
        ("cam1.npz", b"PK\x03\x04 cut off", "cannot be read as npz"),
        ("cam1.csv", b"frame,LKnee_x,LKnee_y\n0,1,2\n1,1,2,3,4\n", "cannot be read as CSV: ParserError"),
        ("cam1.json", b'[{"image_id": 1, "keypoints": [1, 2', "is no JSON, or cut off"),
        ("cam1.json", b'[{"image_id": 1, "keypoints": ["a", "b", "c"]}]', "cannot be read as COCO JSON"),
        ("cam1.json", b'{"instance_info": [{"frame_id": 1, "instances": null}]}', "cannot be read as MMPose JSON"),
    ],
)
def test_a_damaged_file_is_named_and_not_taken_for_missing(tmp_path, name, content, said):
    np.savez(tmp_path / "cam2.npz", points_px=person(COCO_17)[None, :, :2], names=COCO_17)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=said) as error:
        open_folder(tmp_path)
    assert str(tmp_path / name) in str(error.value)


def test_the_truth_beside_the_poses_is_not_a_view(tmp_path):
    np.savez(tmp_path / "cam1.npz", points_px=person(COCO_17)[None, :, :2], names=COCO_17)
    (tmp_path / "truth.csv").write_text("frame,pelvis_x,pelvis_y,pelvis_z\n0,1,2,3\n")
    assert list(open_folder(tmp_path)) == ["cam1"]


def test_a_folder_without_poses_names_the_formats(tmp_path):
    with pytest.raises(UserError, match=r"holds no 2D poses \(detect\.files\)\. .*OpenPose JSON, .*npz"):
        open_folder(tmp_path)


def test_every_format_has_a_test_file():
    for opens in FORMATS.values():
        *rooms, module = opens.__module__.removeprefix("pipeline.formats.poses2d.").split(".")
        assert Path(__file__).parent.joinpath(*rooms, f"test_{module}.py").exists()
