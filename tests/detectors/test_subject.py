"""The subject among several people: who is chosen, over time and through gaps."""

import numpy as np

from pipeline.detectors.subject import MAX_GAP, choose_subject

RNG = np.random.default_rng(0)
SHAPE = RNG.uniform(0, 1, (12, 2)) * (80, 200)  # of a person of about 200 px


def people(*tracks):
    """Rows, points and confidence of people, each given as (rows, path (n, 2), size, confidence)."""
    found = [
        (row, at + size * SHAPE, np.full(len(SHAPE), c), k)
        for k, (rows, path, size, c) in enumerate(tracks)
        for row, at in zip(rows, np.broadcast_to(path, (len(rows), 2)), strict=True)
    ]
    found.sort(key=lambda one: one[0])
    rows, points, confidence, owners = (np.array(values) for values in zip(*found, strict=True))
    return (rows, points, confidence), owners


def chosen_owners(tracks, n_rows):
    given, owners = people(*tracks)
    chosen = choose_subject(*given, n_rows)
    return np.where(chosen >= 0, owners[chosen], -1)


def test_the_larger_and_surer_person_is_chosen_in_every_frame():
    walk = np.column_stack([np.arange(30) * 10.0, np.zeros(30)])
    small = (range(30), (500, 0), 0.4, 0.9)
    np.testing.assert_array_equal(chosen_owners([small, (range(30), walk, 1.0, 0.8)], 30), 1)
    unsure = (range(30), (500, 0), 1.2, 0.2)
    np.testing.assert_array_equal(chosen_owners([unsure, (range(30), walk, 1.0, 0.8)], 30), 1)


def test_a_moment_in_which_another_is_larger_changes_nothing():
    subject = (range(40), (0, 0), 1.0, 0.8)
    passer = (range(10, 15), (400, 0), 1.6, 0.9)
    np.testing.assert_array_equal(chosen_owners([passer, subject], 40), 1)


def test_people_who_pass_each_other_are_not_mixed_up():
    x = np.linspace(0, 600, 61)
    a = (range(61), np.column_stack([x, 0 * x]), 1.0, 0.9)
    b = (range(61), np.column_stack([600 - x, 0 * x + 150]), 0.9, 0.9)
    np.testing.assert_array_equal(chosen_owners([b, a], 61), 1)


def test_where_the_subject_is_missing_nobody_much_smaller_stands_in():
    subject = ([*range(10), *range(30, 40)], (0, 0), 1.0, 0.8)
    bystander = (range(40), (400, 0), 0.3, 0.8)
    found = chosen_owners([bystander, subject], 40)
    np.testing.assert_array_equal(found[:10], 1)
    np.testing.assert_array_equal(found[10:30], -1)
    np.testing.assert_array_equal(found[30:], 1)


def test_the_subject_is_found_again_after_a_long_gap():
    assert MAX_GAP < 20
    first, later = (range(10), (0, 0), 1.0, 0.8), (range(30, 40), (300, 0), 1.0, 0.8)
    np.testing.assert_array_equal(chosen_owners([first, later], 40), [0] * 10 + [-1] * 20 + [1] * 10)


def test_missing_points_do_not_break_a_track():
    (rows, points, confidence), _ = people((range(6), (0, 0), 1.0, 0.8), (range(6), (400, 0), 0.6, 0.8))
    points[4, :7], confidence[4, :7] = np.nan, 0
    np.testing.assert_array_equal(np.unique(points[choose_subject(rows, points, confidence, 6), 11, 0]), [SHAPE[11, 0]])


def test_nobody_at_all():
    nobody = (np.zeros(0, int), np.zeros((0, 12, 2)), np.zeros((0, 12)))
    np.testing.assert_array_equal(choose_subject(*nobody, 3), -1)
