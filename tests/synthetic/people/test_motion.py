"""Feet stay planted, motion is smooth, flights are ballistic."""

import numpy as np

from pipeline.skeleton import joint
from pipeline.synthetic.people.motion import animate
from pipeline.synthetic.people.person import draw_person
from tests.synthetic.people.clips import FPS, every_action, make_clips


@every_action
def test_planted_feet_do_not_slide(action):
    for _, clip in make_clips(action):
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
    for person, clip in make_clips(action):
        feet = clip.bodies.joints_mm[:, [joint("l_ankle"), joint("r_ankle")], 2]
        assert feet.min() > person.build.ankle - 1e-6
        assert (feet[~clip.airborne].min(1) < person.build.ankle + 1e-6).all()


@every_action
def test_motion_is_smooth(action):
    for _, clip in make_clips(action):
        velocity = np.diff(clip.bodies.joints_mm, axis=0) * FPS
        assert np.linalg.norm(velocity, axis=-1).max() < 12_000
        acceleration = np.linalg.norm(np.diff(velocity, axis=0) * FPS, axis=-1)
        assert np.percentile(acceleration, 99) < 60_000


def test_jumps_are_ballistic():
    flights = 0
    for _, clip in make_clips("jump"):
        height = clip.bodies.joints_mm[:, joint("pelvis"), 2]
        inside = clip.airborne[:-2] & clip.airborne[1:-1] & clip.airborne[2:]
        flights += inside.sum()
        np.testing.assert_allclose(np.diff(height, 2)[inside] * FPS**2, -9810, rtol=0.02)
    assert flights > 10


def test_the_frame_rate_samples_one_and_the_same_motion_length():
    rng = np.random.default_rng(3)
    person = draw_person(rng)
    for fps, seconds in ((5.0, 2.0), (50.0, 2.0), (25.0, 0.2)):
        clip = animate(person, "walk", seconds, fps, np.random.default_rng(4))
        assert len(clip.bodies) == len(clip.planted) == round(fps * seconds)
