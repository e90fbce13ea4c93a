"""EasyMocap's annotations."""

import json

import numpy as np
import pytest

from pipeline.formats.poses2d.easymocap import open_views
from tests.formats.poses2d.files import BODY_25, person


def write(folder, frames, **size):
    folder.mkdir(parents=True)
    for number, people in frames.items():
        annots = [{"personID": i, "bbox": [0, 0, 9, 9, 1], "keypoints": p.tolist()} for i, p in enumerate(people)]
        (folder / f"{number:06d}.json").write_text(json.dumps({"filename": "a.jpg", "annots": annots, **size}))
    return folder


def test_people_of_each_frame(tmp_path):
    frames = {0: [person(BODY_25)], 1: [], 2: [person(BODY_25), person(BODY_25, (90, 0))]}
    [(view, poses)] = open_views(write(tmp_path / "annots" / "01", frames, width=1280, height=720)).items()
    assert (view, poses.skeleton, poses.size_px) == ("01", "BODY_25", (1280, 720))
    people = poses.read(np.arange(3))
    np.testing.assert_array_equal(people.rows, [0, 2, 2])
    np.testing.assert_allclose(people.points_px[2], person(BODY_25, (90, 0))[:, :2])


def test_a_size_may_be_missing(tmp_path):
    [poses] = open_views(write(tmp_path / "1", {0: [person(BODY_25)]})).values()
    assert poses.size_px is None


@pytest.mark.parametrize("text", ["{", "[]", '{"people": []}', '{"annots": 3}'])
def test_other_folders_are_not_easymocap(tmp_path, text):
    (tmp_path / "000000.json").write_text(text)
    assert open_views(tmp_path) == {}
