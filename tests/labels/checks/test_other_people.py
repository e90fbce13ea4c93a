"""What views show of other people is left out of a calibration, but no view as a whole and nothing of one person."""

from types import SimpleNamespace

import numpy as np

from pipeline.labels.checks.other_people import mixed_people, without
from pipeline.labels.observations import Observations
from tests.geometry.triangulation.person.test_several_people import FPS, N_FRAMES, during, exchanged, scene


def mixed(where):
    """Observations of a person, of another one where `where` (F, V), and what is found to be mixed."""
    own, other, R, t, _ = scene()
    x, sigma = exchanged(own, other, where)
    observed = Observations(x, sigma, np.ones(sigma.shape), np.full((N_FRAMES, 1, 4), 0.3), np.full(4, 1000.0))
    rig = SimpleNamespace(R=R[0], t=t[0], focal_scale=np.ones(len(t[0])))
    recording = SimpleNamespace(fps=FPS, n_frames=N_FRAMES)
    return observed, mixed_people([recording], [observed], rig)


def test_a_view_of_another_person_is_left_out_in_its_frames():
    where = during(2)
    where[30:] = False
    observed, found = mixed(where)
    assert (found[0] == where).mean() > 0.98
    [cleaned] = without([observed], found)
    np.testing.assert_array_equal(np.isinf(cleaned.sigma), np.broadcast_to(found[0][:, None], cleaned.sigma.shape))


def test_frames_in_which_two_views_contradict_two_are_left_out():
    where = during(0, 1)
    where[30:] = False
    _, found = mixed(where)
    assert found[0][where.any(1)].all(1).mean() > 0.95
    assert not found[0][~where.any(1)].any()


def test_one_person_and_a_view_that_always_shows_another_are_left_to_other_checks():
    _, found = mixed(np.zeros((N_FRAMES, 4), bool))
    assert not found[0].any()
    _, found = mixed(np.tile([True, False, False, False], (N_FRAMES, 1)))
    assert not found[0].any()
