"""Random generators depend on the seed, the stream and all names."""

import itertools

from pipeline.synthetic.seeds import CAPTURE, SINGLES, generator


def test_equal_names_give_equal_numbers_and_others_do_not():
    keys = [(1, CAPTURE, "room"), (2, CAPTURE, "room"), (1, SINGLES, "room"), (1, CAPTURE, "cameras"), (1, CAPTURE)]
    draws = [tuple(generator(*key).random(4)) for key in keys]
    assert draws == [tuple(generator(*key).random(4)) for key in keys]
    assert all(a != b for a, b in itertools.combinations(draws, 2))
