"""COCO's keypoints: annotations, results of detectors, and AlphaPose's results."""

import json

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.poses2d.coco import open_views
from tests.formats.poses2d.files import COCO_17, person


def image(i, name, size=(640, 480)):
    return {"id": i, "file_name": name, "width": size[0], "height": size[1]}


def annotation(i, values, **more):
    return {"id": 10 * i, "image_id": i, "category_id": 1, "keypoints": np.ravel(values).tolist(), **more}


def write(folder, content):
    (folder / "keypoints.json").write_text(json.dumps(content))
    return folder / "keypoints.json"


def test_annotations_of_one_view(tmp_path):
    images = [image(7, "000004.jpg"), image(8, "000002.jpg"), image(9, "000003.jpg")]
    people = [annotation(7, person(COCO_17, (9, 0)), score=0.9), annotation(8, person(COCO_17), score=0.9)]
    [(view, poses)] = open_views(write(tmp_path, {"images": images, "annotations": people})).items()
    assert (view, poses.skeleton, poses.size_px) == ("keypoints", "COCO_17", (640, 480))
    np.testing.assert_array_equal(poses.numbers, [2, 3, 4])
    found = poses.read(np.array([0, 1, 2]))
    np.testing.assert_array_equal(found.rows, [0, 2])
    np.testing.assert_allclose(found.points_px[1], person(COCO_17, (9, 0))[:, :2])


@pytest.mark.parametrize(
    "names", [("cam1/00{}.jpg", "cam2/00{}.jpg"), ("cam1_00{}.png", "cam2_00{}.png")], ids=["folders", "prefixes"]
)
def test_views_are_told_by_the_names_of_the_images(tmp_path, names):
    images = [image(10 * v + i, name.format(i)) for v, name in enumerate(names) for i in range(3)]
    people = [annotation(11, person(COCO_17))]
    opened = open_views(write(tmp_path, {"images": images, "annotations": people}))
    assert [len(poses.numbers) for poses in opened.values()] == [3, 3]
    assert [name[:4] for name in opened] == ["cam1", "cam2"]
    assert [len(poses.read(np.arange(3)).rows) for poses in opened.values()] == [0, 1]


def test_flags_of_visibility_become_confidences(tmp_path):
    values = person(COCO_17)
    values[:, 2] = 2
    values[3] = 0
    values[4, 2] = 1
    [poses] = open_views(
        write(tmp_path, {"images": [image(1, "1.jpg")], "annotations": [annotation(1, values)]})
    ).values()
    np.testing.assert_array_equal(poses.read(np.array([0])).confidence[0, :6], [1, 1, 1, 0, 0.5, 1])


def test_the_category_names_the_points(tmp_path):
    names = [f"{side}_{part}" for part in ("hip", "knee", "ankle") for side in ("left", "right")]
    content = {
        "images": [image(1, "1.jpg")], "annotations": [annotation(1, person(names))],
        "categories": [{"id": 1, "name": "person", "keypoints": names}],
    }  # fmt: skip
    [poses] = open_views(write(tmp_path, content)).values()
    assert poses.points == tuple(names)
    content["categories"][0]["keypoints"] = names[:4]
    with pytest.raises(UserError, match="4 points are named and people have 6"):
        open_views(write(tmp_path, content))


@pytest.mark.parametrize("images", [(3, 3, 5), ("3.jpg", "3.jpg", "5.jpg")], ids=["numbers", "AlphaPose"])
def test_results_are_a_list_of_people(tmp_path, images):
    people = [{**annotation(i, person(COCO_17, (10 * n, 0))), "score": 2.9} for n, i in enumerate(images)]
    [poses] = open_views(write(tmp_path, people)).values()
    np.testing.assert_array_equal(poses.numbers, [3, 5])
    found = poses.read(np.array([0, 1]))
    np.testing.assert_array_equal(found.rows, [0, 0, 1])
    assert found.confidence.max() == 0.8


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"images": [image(1, "1.jpg"), image(2, "2.jpg", (320, 240))], "annotations": []}, "320x240 and 640x480"),
        ({"images": [image(1, "1.jpg"), image(2, "01.jpg")], "annotations": []}, "of the same frame, 1"),
        ({"images": [image(1, "first.jpg")], "annotations": []}, "first.jpg has no frame number"),
        ({"images": [], "annotations": [annotation(3, person(COCO_17))]}, "1 people are in images that are not listed"),
        (
            {"images": [image(1, "1.jpg")], "annotations": [annotation(1, person(COCO_17)), annotation(1, [1, 2, 3])]},
            "People have 3, 51 values",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path, content, said):
    with pytest.raises(UserError, match=said):
        open_views(write(tmp_path, content))


@pytest.mark.parametrize("content", [{"images": []}, [], [1], {"a": 1}, [{"image_id": 1}]])
def test_other_json_is_not_coco(tmp_path, content):
    assert open_views(write(tmp_path, content)) == {}
