"""With several people in view, labels are of one of them: views of two are not mixed, and doubtful frames rejected."""

import numpy as np
import pytest

from pipeline.geometry.triangulation.bone_lengths import lengths_of
from pipeline.geometry.triangulation.person.follow import Whose, follow_person
from pipeline.geometry.triangulation.person.hypotheses import STRICT, USUAL, find_hypotheses
from tests.geometry.triangulation.person.test_several_people import FPS, N_FRAMES, during, exchanged, scene
from tests.world.people import standing


def follow(where, several=True, seed=0):
    own, other, R, t, _ = scene(seed=seed)
    hypotheses = find_hypotheses(*exchanged(own, other, where), R, t, STRICT if several else USUAL)
    return follow_person([hypotheses], lengths_of(standing()), FPS, several=several)


@pytest.mark.parametrize("seed", range(3))
def test_a_view_of_another_person_is_left_out_also_just_before_and_after(seed):
    where = during(1)
    path = follow(where, seed=seed)
    assert (path.whose == Whose.PERSON).all()
    assert path.other[where].all()
    np.testing.assert_array_equal(path.other[:, 1], np.isin(np.arange(N_FRAMES), range(8, 42)))
    assert not path.other[:, [0, 2, 3]].any()


@pytest.mark.parametrize("seed", range(3))
def test_no_frame_mixes_two_people(seed):
    rng = np.random.default_rng(seed)
    where = np.repeat(rng.random((N_FRAMES // 10, 4)) < 0.5, 10, axis=0)
    path = follow(where, seed=seed)
    made = path.whose == Whose.PERSON
    used = ~path.other
    of_one = np.array([len(set(where[f, used[f]])) == 1 for f in range(N_FRAMES)])
    assert of_one[made].all()


def test_two_views_against_two_are_decided_by_frames_before_and_after_or_not_at_all():
    at_the_end = during(0, 1)
    path = follow(at_the_end)
    kept = path.whose == Whose.PERSON
    assert kept.mean() > 0.8
    assert path.other[at_the_end.any(1) & kept][:, :2].all()
    # Without any frame in which more views agree, nobody knows.
    always = np.tile([True, True, False, False], (N_FRAMES, 1))
    assert (follow(always).whose != Whose.PERSON).all()


def test_one_person_is_followed_with_all_views():
    nobody_else = np.zeros((N_FRAMES, 4), bool)
    for several in (False, True):
        path = follow(nobody_else, several)
        assert (path.whose == Whose.PERSON).all()
        assert not path.other.any()


def test_no_frames_are_an_error():
    with pytest.raises(ValueError, match="no frames"):
        follow_person([], lengths_of(standing()), FPS)
