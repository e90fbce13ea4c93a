"""The joints among the points of files, by the names that programs write."""

import numpy as np
import pytest

from pipeline.formats.truth.joint_names import joints_of_points, plain_name
from pipeline.skeleton import JOINTS, joint

HALPE = "Hip RHip RKnee RAnkle RBigToe LHip LKnee LAnkle Neck Head Nose RShoulder RElbow RWrist LShoulder LElbow LWrist"
H36M = (
    "Hip RHip RKnee RFoot LHip LKnee LFoot Spine Thorax Neck/Nose Head LShoulder LElbow LWrist RShoulder RElbow RWrist"
)  # fmt: skip
OPENCAP = (
    "r.ASIS_study RHJC_study LHJC_study r_knee_study r_mknee_study r_ankle_study r_mankle_study r_shoulder_study"
    " r_lelbow_study r_melbow_study r_lwrist_study r_mwrist_study"
)
BVH = (
    "Hips LeftUpLeg LeftLeg LeftFoot RightUpLeg RightLeg RightFoot Spine Spine1 Neck Head LeftShoulder LeftArm"
    " LeftForeArm LeftHand RightShoulder RightArm RightForeArm RightHand"
)
SMPL = "pelvis left_hip right_hip spine1 spine2 spine3 neck left_collar right_collar head left_shoulder right_shoulder"


def found(names):
    names = names.split()
    points = np.random.default_rng(0).normal(size=(2, len(names), 3))
    joints = joints_of_points(names, points)
    by_name = dict(zip(names, points.transpose(1, 0, 2), strict=True))
    for name, sources in joints.sources.items():
        expected = np.mean([by_name[one] for one in sources], axis=0)
        np.testing.assert_allclose(joints.joints_mm[:, joint(name)], expected)
    for name in joints.missing:
        assert np.isnan(joints.joints_mm[:, joint(name)]).all()
    return joints


def test_the_projects_own_names_are_themselves():
    assert found(" ".join(JOINTS)).sources == {name: (name,) for name in JOINTS}


def test_a_lone_neck_is_the_thorax():
    joints = found(HALPE)
    assert joints.missing == ["spine", "neck"]
    assert joints.sources["thorax"] == ("Neck",)
    assert joints.sources["pelvis"] == ("Hip",)
    assert joints.sources["r_wrist"] == ("RWrist",)
    assert joints.sources["head"] == ("Head",)
    both = found(H36M)
    assert (both.sources["thorax"], both.sources["neck"]) == (("Thorax",), ("Neck/Nose",))
    assert both.sources["l_ankle"] == ("LFoot",)
    assert not both.missing


def test_joints_are_the_middles_of_medial_and_lateral_markers_and_never_one_of_them():
    joints = found(OPENCAP)
    assert joints.sources["r_knee"] == ("r_knee_study", "r_mknee_study")
    assert joints.sources["r_elbow"] == ("r_lelbow_study", "r_melbow_study")
    assert joints.sources["pelvis"] == ("LHJC_study", "RHJC_study")
    assert {"r_shoulder", "thorax", "l_knee"} <= set(joints.missing)
    assert found("LKNE RKNE RKNM LSHO LHJC").missing == [name for name in JOINTS if name not in ("r_knee", "l_hip")]


def test_animated_skeletons_name_joints_after_the_segments_below_them():
    joints = found(BVH)
    assert joints.missing == ["spine", "neck", "head"]
    assert joints.sources["l_shoulder"] == ("LeftArm",)
    assert joints.sources["r_ankle"] == ("RightFoot",)
    assert joints.sources["thorax"] == ("LeftArm", "RightArm")
    assert {"spine", "neck", "head"} <= set(found(SMPL).missing)
    assert found(SMPL).sources["pelvis"] == ("left_hip", "right_hip")


@pytest.mark.parametrize(
    "name", ["Ann:LeftKnee", "left_knee", "LKnee", "l_knee", "knee_l", "KneeLeft", "L.Knee", "leftknee"]
)
def test_sides_are_written_in_many_ways(name):
    assert plain_name(name) == "lknee"
    assert list(found(name.replace(" ", "_")).sources) == ["l_knee"]


def test_unknown_and_repeated_names_are_refused():
    with pytest.raises(ValueError, match=r"known as a joint: M1, M2"):
        joints_of_points(["M1", "M2"], np.zeros((1, 2, 3)))
    with pytest.raises(ValueError, match="'LKnee' and 'left_knee'"):
        joints_of_points(["LKnee", "left_knee"], np.zeros((1, 2, 3)))
