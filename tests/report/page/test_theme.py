"""Colours and names."""

from pipeline.report.page.theme import JOINT_TITLES, LEFT_BONES, lighter, rgb
from pipeline.skeleton import BONES


def test_joints_are_named_in_words():
    assert {"pelvis", "left wrist", "right ankle"} <= set(JOINT_TITLES)


def test_the_left_side_is_drawn_in_a_tint():
    assert lighter("#000000") == "#737373"
    assert all(a < b for a, b in zip(rgb("#0072b2"), rgb(lighter("#0072b2")), strict=True))
    assert {JOINT_TITLES[BONES[bone][1]].split()[0] for bone in LEFT_BONES} == {"left"}
