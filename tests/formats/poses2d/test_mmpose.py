"""MMPose's predictions for videos and for images."""

import json

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.poses2d.mmpose import open_views
from tests.formats.poses2d.files import COCO_17, person


def instance(values):
    return {"keypoints": values[:, :2].tolist(), "keypoint_scores": values[:, 2].tolist(), "bbox": [[0, 0, 9, 9]]}


FRAMES = [
    {"frame_id": 2, "instances": [instance(person(COCO_17, (5, 0)))]},
    {"frame_id": 0, "instances": [instance(person(COCO_17)), instance(person(COCO_17, (90, 0)))]},
    {"frame_id": 1, "instances": []},
]


def write(path, content):
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("wrapped", [False, True])
def test_predictions_for_a_video(tmp_path, wrapped):
    content = {"meta_info": {"dataset_name": "coco"}, "instance_info": FRAMES} if wrapped else FRAMES
    [(view, poses)] = open_views(write(tmp_path / "results_cam1.json", content)).items()
    assert (view, poses.points) == ("cam1", COCO_17)
    np.testing.assert_array_equal(poses.numbers, [0, 1, 2])
    people = poses.read(np.arange(3))
    np.testing.assert_array_equal(people.rows, [0, 0, 2])
    np.testing.assert_allclose(people.points_px[2], person(COCO_17, (5, 0))[:, :2])
    np.testing.assert_allclose(people.confidence, 0.8)


def test_names_of_the_points_are_read_if_there_are_any(tmp_path):
    names = {str(i): f"{'left' if i % 2 else 'right'}_point{i}" for i in range(17)}
    meta = {"dataset_name": "own", "keypoint_id2name": names}
    [poses] = open_views(write(tmp_path / "a.json", {"meta_info": meta, "instance_info": FRAMES})).values()
    assert (poses.skeleton, poses.points) == ("own", tuple(names.values()))


def test_a_folder_with_a_file_for_each_image(tmp_path):
    for i in range(3):
        write(tmp_path / f"{i:05d}.json", [instance(person(COCO_17, (i, 0)))])
    [poses] = open_views(tmp_path).values()
    np.testing.assert_allclose(poses.read(np.array([2])).points_px[0], person(COCO_17, (2, 0))[:, :2])


def test_wrong_predictions_are_refused(tmp_path):
    twice = [FRAMES[0], FRAMES[0]]
    with pytest.raises(UserError, match="entry 0 and entry 1 are of the same frame, 2"):
        open_views(write(tmp_path / "a.json", twice))
    mixed = [{"frame_id": 0, "instances": [instance(person(COCO_17)), instance(person(COCO_17[:9]))]}]
    with pytest.raises(UserError, match="People have 9, 17 points"):
        open_views(write(tmp_path / "a.json", mixed))


@pytest.mark.parametrize("content", [[], {}, [{"frame_id": 1}], {"instance_info": []}, [1, 2]])
def test_other_json_is_not_mmpose(tmp_path, content):
    assert open_views(write(tmp_path / "a.json", content)) == {}
