"""Bodies move as bodies can: bones keep their length, joints their limits, planted feet their place."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.skeleton import BONES, joint
from pipeline.synthetic.people.actions import ACTIONS, ROAM_MM
from pipeline.synthetic.people.body import MAX_ELBOW_FLEXION_RAD, MAX_KNEE_FLEXION_RAD, two_bones
from pipeline.synthetic.people.motion import Clip, move
from pipeline.synthetic.people.person import Person, draw_person
from pipeline.synthetic.people.poses import draw_poses
from pipeline.synthetic.people.script import REST, Script

FPS = 25.0
LIMBS = {"knee": ("hip", "knee", "ankle"), "elbow": ("shoulder", "elbow", "wrist")}
every_action = pytest.mark.parametrize("action", ACTIONS)


@cache
def film(action: str) -> list[tuple[Person, Clip]]:
    clips = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        person = draw_person(rng)
        clips.append((person, move(person, action, 9.0, FPS, rng)))
    return clips


def flexion_rad(joints: np.ndarray, limb: tuple[str, ...], side: str) -> np.ndarray:
    start, middle, end = (joints[:, joint(side + name)] for name in limb)
    first, second = middle - start, end - middle
    cosine = (first * second).sum(-1) / np.linalg.norm(first, axis=-1) / np.linalg.norm(second, axis=-1)
    return np.arccos(np.clip(cosine, -1, 1))


def check_body(person: Person, joints: np.ndarray) -> None:
    lengths = np.linalg.norm(joints[:, BONES[:, 0]] - joints[:, BONES[:, 1]], axis=-1)
    np.testing.assert_allclose(lengths, np.broadcast_to(lengths[0], lengths.shape), atol=1e-6)
    assert lengths[0, BONES[:, 1].tolist().index(joint("l_knee"))] == pytest.approx(person.build.thigh)
    for side in ("l_", "r_"):
        assert flexion_rad(joints, LIMBS["knee"], side).max() <= MAX_KNEE_FLEXION_RAD + 1e-6
        assert flexion_rad(joints, LIMBS["elbow"], side).max() <= MAX_ELBOW_FLEXION_RAD + 1e-6


@every_action
def test_bones_keep_their_length_and_joints_their_limits(action):
    for person, clip in film(action):
        check_body(person, clip.bodies.joints_mm)


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_random_poses_keep_bones_and_limits_and_stand_on_the_floor(seed):
    rng = np.random.default_rng(seed)
    person = draw_person(rng)
    joints = draw_poses(person, 16, rng).joints_mm
    check_body(person, joints)
    ankles = joints[:, [joint("l_ankle"), joint("r_ankle")], 2]
    np.testing.assert_allclose(ankles.min(1), person.build.ankle, atol=1e-6)


@every_action
def test_knees_bend_backwards_only(action):
    for _, clip in film(action):
        joints = clip.bodies.joints_mm
        for side in ("l_", "r_"):
            hip, knee, ankle = (joints[:, joint(side + name)] for name in LIMBS["knee"])
            # The knee lies before the line from hip to ankle, as the pelvis and the foot face.
            front = clip.bodies.pelvis[:, :, 0] + clip.bodies.feet[:, 0 if side == "l_" else 1, :, 0]
            bulge = ((knee - 0.5 * (hip + ankle)) * front).sum(-1)
            assert bulge.min() > -20


@every_action
def test_planted_feet_do_not_slide(action):
    for _, clip in film(action):
        n_stances = 0
        for side, name in enumerate(("l_ankle", "r_ankle")):
            ankle, planted = clip.bodies.joints_mm[:, joint(name)], clip.planted[:, side]
            both = planted[1:] & planted[:-1]
            assert np.linalg.norm(np.diff(ankle, axis=0), axis=-1)[both].max() < 0.5
            edges = np.flatnonzero(np.diff(np.concatenate([[0], planted, [0]]).astype(int)))
            for start, stop in edges.reshape(-1, 2):
                n_stances += 1
                assert np.linalg.norm(np.ptp(ankle[start:stop], axis=0)) < 10
        assert n_stances >= 2
        assert clip.planted.mean() > 0.5


@every_action
def test_one_foot_stands_unless_the_body_flies_and_none_is_below_the_floor(action):
    for person, clip in film(action):
        feet = clip.bodies.joints_mm[:, [joint("l_ankle"), joint("r_ankle")], 2]
        assert feet.min() > person.build.ankle - 1e-6
        assert (feet[~clip.airborne].min(1) < person.build.ankle + 1e-6).all()


@every_action
def test_motion_is_smooth(action):
    for _, clip in film(action):
        velocity = np.diff(clip.bodies.joints_mm, axis=0) * FPS
        assert np.linalg.norm(velocity, axis=-1).max() < 12_000
        acceleration = np.linalg.norm(np.diff(velocity, axis=0) * FPS, axis=-1)
        assert np.percentile(acceleration, 99) < 60_000


def test_jumps_are_ballistic():
    flights = 0
    for _, clip in film("jump"):
        height = clip.bodies.joints_mm[:, joint("pelvis"), 2]
        inside = clip.airborne[:-2] & clip.airborne[1:-1] & clip.airborne[2:]
        flights += inside.sum()
        np.testing.assert_allclose(np.diff(height, 2)[inside] * FPS**2, -9810, rtol=0.02)
    assert flights > 10


def test_people_travel_and_turn_to_every_side():
    places, headings = [], []
    for action in ACTIONS:
        for _, clip in film(action):
            places.append(clip.bodies.joints_mm[:, 0, :2])
            headings.append(np.arctan2(clip.bodies.pelvis[:, 1, 0], clip.bodies.pelvis[:, 0, 0]))
    assert (np.ptp(np.concatenate(places), axis=0) > 1500).all()
    assert np.histogram(np.concatenate(headings), bins=8, range=(-np.pi, np.pi))[0].min() > 100
    assert np.abs(np.concatenate(places)).max() < ROAM_MM + 600


def test_the_frame_rate_samples_one_and_the_same_motion_length():
    rng = np.random.default_rng(3)
    person = draw_person(rng)
    for fps, seconds in ((5.0, 2.0), (50.0, 2.0), (25.0, 0.2)):
        clip = move(person, "walk", seconds, fps, np.random.default_rng(4))
        assert len(clip.bodies) == len(clip.planted) == round(fps * seconds)


def test_hands_go_around_the_shoulder_not_through_it():
    script = Script(draw_person(np.random.default_rng(0)), np.random.default_rng(0), np.zeros(2), 0.0)
    script.move("wrist_l", (0.05, 0.1, 0.95), 1.0)
    way = script.sample("wrist_l", np.linspace(0, 2, 50))
    np.testing.assert_allclose(way[0], REST["wrist_l"], atol=1e-9)
    np.testing.assert_allclose(way[-1], (0.05, 0.1, 0.95), atol=1e-9)
    assert np.linalg.norm(way, axis=-1).min() > 0.9


@given(st.floats(1, 3000), st.floats(-3, 3), st.floats(-1.5, 1.5))
@settings(max_examples=50, deadline=None)
def test_two_bones_reach_as_far_as_they_can(distance, azimuth, elevation):
    start, level = np.array([[10.0, 20, 30]]), np.cos(elevation)
    way = distance * np.array([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)])
    middle, end = two_bones(start, start + way, (400.0, 350.0), np.array([[0.3, 0.2, 1.0]]), np.deg2rad(150))
    assert np.linalg.norm(middle - start) == pytest.approx(400)
    assert np.linalg.norm(end - middle) == pytest.approx(350)
    if 210 < distance < 740:
        np.testing.assert_allclose(end, start + way, atol=1e-6)
