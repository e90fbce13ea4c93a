"""Sets of points: their names agree between programs, and their order is told from the people."""

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.formats.poses2d.skeletons import SKELETONS, canonical, canonical_points, guess_skeleton
from pipeline.skeleton import JOINTS, LIMB_JOINTS
from tests.formats.poses2d.files import person

# Bends the standing person, so that no line is short by chance.
TURNED = np.array([[0.8, 0.6], [-0.6, 0.8]])


@pytest.mark.parametrize("name", SKELETONS)
def test_a_skeleton_has_the_limb_joints_once_and_as_many_points_as_its_name_says(name):
    points = canonical_points(SKELETONS[name])
    assert {JOINTS[j] for j in LIMB_JOINTS} <= set(points)
    assert len(points) == int("".join(c for c in name.rpartition("_")[2] if c.isdigit()))


@pytest.mark.parametrize("name", SKELETONS)
@pytest.mark.parametrize("turn", [np.eye(2), TURNED], ids=["upright", "turned"])
def test_the_skeleton_is_told_by_the_people(name, turn):
    people = np.array([person(SKELETONS[name], (dx, 0))[:, :2] @ turn for dx in (0, 40)])
    assert guess_skeleton(people, "file") == name


def test_missing_points_do_not_matter():
    people = np.array([person(SKELETONS["BODY_25"])[:, :2]])
    people[0, [3, 4, 9, 15]] = np.nan
    assert guess_skeleton(people, "file") == "BODY_25"


def test_an_unknown_number_of_points_is_refused():
    with pytest.raises(UserError, match=r"People have 21 points.*\(hand\.json\).*BODY_25 \(25\)"):
        guess_skeleton(np.zeros((1, 21, 2)), "hand.json")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("LBigToe", "l_big_toe"), ("right_small_toe", "r_small_toe"), ("Rknee", "r_knee"), ("knee_R", "r_knee"),
        ("leftHip", "l_hip"), ("Hip", "pelvis"), ("root", "pelvis"), ("top_head", "head_top"),
        ("UpperNeck", "upper_neck"),
        ("LHand3", "l_hand_3"), ("tail base", "tail_base"),
    ],
)  # fmt: skip
def test_spellings(written, meant):
    assert canonical(written) == meant


def test_the_own_joints_keep_their_meaning():
    assert canonical_points(JOINTS) == JOINTS
    assert canonical_points(("neck", "hip")) == ("thorax", "pelvis")


def test_two_points_of_one_meaning_are_refused():
    with pytest.raises(UserError, match="LHip and left_hip have the same meaning"):
        canonical_points(("LHip", "left_hip"))
