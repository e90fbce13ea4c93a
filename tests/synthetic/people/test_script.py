"""Tracks are interpolated between keyframes."""

import numpy as np

from pipeline.synthetic.people.person import draw_person
from pipeline.synthetic.people.script import REST, Script


def test_hands_go_around_the_shoulder_not_through_it():
    script = Script(draw_person(np.random.default_rng(0)), np.random.default_rng(0), np.zeros(2), 0.0)
    script.move("wrist_l", (0.05, 0.1, 0.95), 1.0)
    way = script.sample("wrist_l", np.linspace(0, 2, 50))
    np.testing.assert_allclose(way[0], REST["wrist_l"], atol=1e-9)
    np.testing.assert_allclose(way[-1], (0.05, 0.1, 0.95), atol=1e-9)
    assert np.linalg.norm(way, axis=-1).min() > 0.9
