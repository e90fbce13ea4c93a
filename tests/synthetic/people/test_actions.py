"""The actions together cover the room and all headings."""

import numpy as np

from pipeline.synthetic.people.actions import ACTIONS, ROAM_MM
from pipeline.synthetic.people.person import draw_person
from pipeline.synthetic.people.script import REST, Script
from tests.synthetic.people.clips import every_action, make_clips


def test_people_travel_and_turn_to_every_side():
    places, headings = [], []
    for action in ACTIONS:
        for _, clip in make_clips(action):
            places.append(clip.bodies.joints_mm[:, 0, :2])
            headings.append(np.arctan2(clip.bodies.pelvis[:, 1, 0], clip.bodies.pelvis[:, 0, 0]))
    assert (np.ptp(np.concatenate(places), axis=0) > 1500).all()
    assert np.histogram(np.concatenate(headings), bins=8, range=(-np.pi, np.pi))[0].min() > 100
    assert np.abs(np.concatenate(places)).max() < ROAM_MM + 600


@every_action
def test_an_action_writes_keyframes_and_advances_the_time(action):
    rng = np.random.default_rng(4)
    script = Script(draw_person(rng), rng, np.zeros(2), 0.0)
    ACTIONS[action](script)
    assert script.now > 1
    assert sum(len(keys) for keys in script.keys.values()) > len(REST)
    assert script.path[-1][0] <= script.now
