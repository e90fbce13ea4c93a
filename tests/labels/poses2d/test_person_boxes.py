"""Boxes of whole people and of parts of them."""

import numpy as np

from pipeline.labels.poses2d.person_boxes import HIGH, LOW, person_boxes
from pipeline.skeleton import JOINTS
from tests.formats.poses2d.files import STANDING

# The standing person is 400 px tall; in each frame a little larger.
FRAMES = np.array([0, 1, 2, 3, 6])
JOINTS_PX = np.array([STANDING[name] for name in JOINTS]) * (1 + 0.1 * FRAMES)[:, None, None]


def test_whole_people_have_the_box_of_their_joints():
    boxes = person_boxes(FRAMES, JOINTS_PX)
    np.testing.assert_allclose(boxes, np.concatenate([JOINTS_PX.min(1), JOINTS_PX.max(1)], -1))


def test_people_without_feet_or_head_are_as_tall_as_in_the_frames_around():
    whole, px = person_boxes(FRAMES, JOINTS_PX), JOINTS_PX.copy()
    px[1, LOW], px[3, HIGH] = np.nan, np.nan
    boxes = person_boxes(FRAMES, px)
    np.testing.assert_allclose(boxes[[1, 3]][:, [1, 3]], whole[[1, 3]][:, [1, 3]])
    np.testing.assert_allclose(boxes[1, [0, 2]], whole[1, [0, 2]])


def test_one_foot_is_enough():
    px = JOINTS_PX.copy()
    px[2, LOW[0]] = np.nan
    assert person_boxes(FRAMES, px)[2, 3] == px[2, LOW[1], 1]


def test_without_a_whole_person_nothing_is_extended():
    px = JOINTS_PX.copy()
    px[:, LOW] = np.nan
    np.testing.assert_allclose(person_boxes(FRAMES, px)[:, 3], np.nanmax(px[..., 1], 1))


def test_nobody_has_no_box_and_does_not_matter_to_others():
    px = JOINTS_PX.copy()
    px[1], px[2, LOW] = np.nan, np.nan
    boxes = person_boxes(FRAMES, px)
    assert np.isnan(boxes[1]).all()
    np.testing.assert_allclose(boxes[2, 3], px[2, :, 1][HIGH].min() + 400 * (1 + 0.1 * 2), rtol=1e-12)
