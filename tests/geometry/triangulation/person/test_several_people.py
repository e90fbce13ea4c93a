"""Several people are recognised where views show them for a while, and failing detections of one person are not."""

import numpy as np
import pytest

from pipeline.geometry.triangulation.person.several_people import OtherPeople, find_other_people, judge_people
from pipeline.skeleton import MIRROR, joint
from tests.world.cameras import observed, ring
from tests.world.people import moving, people

FPS, N_FRAMES = 25.0, 60
DURING = slice(10, 40)
BESIDE_MM = np.array([700.0, 600.0, 0.0])


def scene(n_views=4, outliers=0.0, seed=0):
    """Observations of a person, and of another one beside the first, by the same cameras."""
    times = np.arange(N_FRAMES) / FPS
    R, t = ring(n_views)
    both = [moving(times, seed), moving(times, seed + 1) + BESIDE_MM]
    own, other = (
        observed(joints, R, t, noise_px=4.0, outliers=outliers, seed=seed + i) for i, joints in enumerate(both)
    )
    return own, other, R[None], t[None], np.linalg.norm(both[0] - both[1], axis=-1)


def exchanged(own, other, where):
    """The observations with those of the other person where `where` (F, V) is true."""
    x, sigma = (np.where(where.reshape(*where.shape[:1], 1, *where.shape[1:], *[1] * (a.ndim - 3)), b, a)
                for a, b in zip(own, other, strict=True))  # fmt: skip
    return x, sigma


def during(*views, n_views=4):
    where = np.zeros((N_FRAMES, n_views), bool)
    where[DURING, list(views)] = True
    return where


@pytest.mark.parametrize("seed", range(3))
def test_another_person_in_a_view_is_found_in_all_its_frames_and_in_no_others(seed):
    own, other, R, t, distance = scene(seed=seed)
    where = during(1)
    found = find_other_people(*exchanged(own, other, where), R, t)
    assert found.shown[where].mean() > 0.9
    assert not found.shown[~where].any()
    assert np.isnan(found.distance[~found.shown]).all()
    # Across the line of sight they cannot be farther apart than in space.
    assert (found.distance[found.shown] < distance[DURING].max()).all()
    several = judge_people([found], FPS)
    assert several is not None
    assert several.share == pytest.approx(0.5, abs=0.06)
    np.testing.assert_array_equal(several.share_by_view > 0, [False, True, False, False])
    assert 100 < several.distance < distance[DURING].max()


def test_two_views_of_each_person_show_several_people():
    own, other, R, t, _ = scene()
    found = find_other_people(*exchanged(own, other, during(0, 1)), R, t)
    # Nothing says which two views show the other person.
    assert found.shown[DURING].any(1).mean() > 0.9
    assert judge_people([found], FPS) is not None


@pytest.mark.parametrize("outliers", [0.0, 0.1])
def test_one_person_with_outliers_and_swapped_sides_is_one_person(outliers):
    (x, sigma), _, R, t, _ = scene(outliers=outliers)
    x[::3, :, 2] = x[::3, :, 2][:, MIRROR]
    found = find_other_people(x, sigma, R, t)
    assert found.shown.mean() <= 0.2 * outliers
    assert judge_people([found], FPS) is None


def test_a_failing_detection_is_no_other_person():
    (x, sigma), _, R, t, _ = scene()
    middle = x[DURING, :, 1].mean(1, keepdims=True)
    collapsed = x.copy()
    collapsed[DURING, :, 1] = middle + 0.3 * (x[DURING, :, 1] - middle) + 8 * sigma[DURING, :, 1, None]
    assert not find_other_people(collapsed, sigma, R, t).shown.any()
    # Where only arms are elsewhere, the view is of the person.
    arms = [joint(f"{side}_{name}") for side in "lr" for name in ("shoulder", "elbow", "wrist")]
    x[DURING, arms, 1] += 0.2
    assert not find_other_people(x, sigma, R, t).shown.any()


@pytest.mark.parametrize("seed", range(3))
def test_a_body_of_another_pose_at_the_same_place_is_no_other_person(seed):
    (x, sigma), _, R, t, _ = scene(seed=seed)
    rng = np.random.default_rng(seed)
    # Most joints are off by a quarter of a metre and more, each in its own direction, as in a seated body.
    angle, off_mm = rng.permutation(17) * 2 * np.pi / 17, rng.uniform(250, 450, (17, 1))
    x[DURING, :, 1] += off_mm / np.linalg.norm(t[0, 1]) * np.stack([np.cos(angle), np.sin(angle)], -1)
    assert find_other_people(x, sigma, R, t).shown.mean() < 0.02


def test_two_views_say_nothing_about_a_third_person():
    own, other, R, t, _ = scene(n_views=2)
    assert not find_other_people(*exchanged(own, other, during(0, n_views=2)), R, t).shown.any()


def test_rigs_of_each_frame_and_people_nowhere():
    own, other, R, t, _ = scene()
    x, sigma = exchanged(own, other, during(1))
    once = find_other_people(x, sigma, R, t)
    each = find_other_people(x, sigma, np.repeat(R, N_FRAMES, 0), np.repeat(t, N_FRAMES, 0))
    np.testing.assert_array_equal(once.shown, each.shown)
    np.testing.assert_allclose(once.distance, each.distance)
    nobody = find_other_people(np.full_like(x, np.nan), np.full_like(sigma, np.inf), R, t)
    assert judge_people([nobody], FPS) is None


def test_single_frames_are_not_several_people():
    shown = np.zeros((N_FRAMES, 4), bool)
    shown[::3, 2] = True
    assert judge_people([OtherPeople(shown, np.where(shown, 500.0, np.nan))], FPS) is None


def test_a_short_visit_counts_by_its_time_and_its_share_of_the_recording():
    shown = np.zeros((100, 2), bool)
    shown[50:62, 1] = True
    visit = OtherPeople(shown, np.where(shown, 500.0, np.nan))
    alone = OtherPeople(np.zeros((1000, 2), bool), np.full((1000, 2), np.nan))
    several = judge_people([visit, alone], 25.0)
    assert several is None
    # A run may cross the blocks that frames are read in.
    halves = [OtherPeople(shown[rows], visit.distance[rows]) for rows in (slice(0, 56), slice(56, None))]
    several = judge_people(halves, 25.0)
    assert several is not None
    assert several.share == pytest.approx(0.12)
    assert several.distance == pytest.approx(500.0)


def test_shapes_are_checked():
    joints = people(2)
    R, t = ring(3)
    x, sigma = observed(joints, R, t)
    with pytest.raises(ValueError, match="find_other_people"):
        find_other_people(x[:, :5], sigma, R[None], t[None])
