"""The project's joints from the points of other programs: where they lie, what stands in, what is said."""

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.poses2d.joint_rules import joint_rules
from pipeline.formats.poses2d.skeletons import SKELETONS
from pipeline.skeleton import JOINTS, joint
from tests.formats.poses2d.files import STANDING, person


def joints_of(points, values):
    px, confidence = joint_rules(tuple(points), "file").joints(values[None, :, :2], values[None, :, 2])
    return px[0], confidence[0]


@pytest.mark.parametrize("name", SKELETONS)
def test_joints_lie_where_the_person_has_them(name):
    px, confidence = joints_of(SKELETONS[name], person(SKELETONS[name]))
    made = np.isfinite(px).all(-1)
    assert made[[j for j, joint_name in enumerate(JOINTS) if joint_name not in ("neck", "head")]].all()
    for j in np.flatnonzero(made):
        at = STANDING["thorax"] if JOINTS[j] == "thorax" else STANDING[JOINTS[j]]
        assert np.linalg.norm(px[j] - at) < (30 if JOINTS[j] in ("neck", "head") else 1e-9)
    np.testing.assert_allclose(confidence[made], 0.8)


def test_trunk_neck_and_head_without_points_of_their_own():
    px, _ = joints_of(SKELETONS["COCO_17"], person(SKELETONS["COCO_17"]))
    np.testing.assert_allclose(px[joint("pelvis")], (300, 280))
    np.testing.assert_allclose(px[joint("spine")], (300, 215))
    np.testing.assert_allclose(px[joint("neck")], (300, 0.7 * 100 + 0.3 * 150))
    np.testing.assert_allclose(px[joint("head")], (300, 96 - 0.24 * (150 - 96)))


def test_a_hidden_ear_is_replaced_by_the_other():
    points = SKELETONS["COCO_17"]
    values = person(points)
    values[points.index("LEar")] = np.nan, np.nan, 0
    px, confidence = joints_of(points, values)
    np.testing.assert_allclose(px[joint("head")], 1.24 * np.array((282, 96)) - 0.24 * np.array((300, 150)))
    assert confidence[joint("head")] == 0.8


def test_a_joint_is_as_sure_as_the_least_sure_of_its_points_and_missing_without_one():
    points = SKELETONS["COCO_17"]
    values = person(points)
    values[points.index("LHip"), 2] = 0.3
    values[points.index("RShoulder")] = np.nan, np.nan, 0
    px, confidence = joints_of(points, values)
    assert confidence[joint("pelvis")] == 0.3
    assert np.isnan(px[joint("thorax")]).all()
    assert confidence[joint("thorax")] == 0


def test_rules_are_said_in_the_names_of_the_source():
    said = joint_rules(("left_hip", "right_hip", *SKELETONS["COCO_17"][5:11]), "file").described
    assert said["pelvis"] == "0.5 left_hip + 0.5 right_hip"
    assert said["l_elbow"] == "LElbow"
    assert said["r_knee"] == "not among the points"
    body_25 = joint_rules(SKELETONS["BODY_25"], "file").described
    assert body_25["pelvis"] == "0.5 LHip + 0.5 RHip; else MidHip"
    assert body_25["head"].startswith("0.62 LEar + 0.62 REar - 0.12 LShoulder")


def test_unknown_names_are_refused_with_what_is_wanted():
    with pytest.raises(
        UserError, match=r"Only 0 of the 12 limb joints are among the points snout, tail.*r_hip, r_knee"
    ):
        joint_rules(("snout", "tail"), "mouse.csv")
