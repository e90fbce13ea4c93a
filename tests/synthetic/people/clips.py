"""Animated people that several tests use, computed once."""

from functools import cache

import numpy as np
import pytest

from pipeline.skeleton import BONES, joint
from pipeline.synthetic.people.actions import ACTIONS
from pipeline.synthetic.people.body import MAX_ELBOW_FLEXION_RAD, MAX_KNEE_FLEXION_RAD
from pipeline.synthetic.people.motion import Clip, animate
from pipeline.synthetic.people.person import Person, draw_person

FPS = 25.0
LIMBS = {"knee": ("hip", "knee", "ankle"), "elbow": ("shoulder", "elbow", "wrist")}
every_action = pytest.mark.parametrize("action", ACTIONS)


@cache
def make_clips(action: str) -> list[tuple[Person, Clip]]:
    clips = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        person = draw_person(rng)
        clips.append((person, animate(person, action, 9.0, FPS, rng)))
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
