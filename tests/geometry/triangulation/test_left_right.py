"""Swapped left and right of some views are found, and nothing else: by body part, by view, over time."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.geometry.camera.reprojection import residuals
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.geometry.triangulation.bone_lengths import own_lengths
from pipeline.geometry.triangulation.left_right import CONTEXT, _costs, find_swapped, swap_left_right
from pipeline.geometry.triangulation.left_right_kernel import WIDTH
from pipeline.skeleton import JOINTS, LEFT_JOINTS, MIRROR, N_JOINTS, joint
from tests.world.cameras import FOCAL_PX, observed, ring
from tests.world.people import people

PARTS = {
    "body": ("hip", "knee", "ankle", "shoulder", "elbow", "wrist"),
    "legs": ("hip", "knee", "ankle"),
    "arms": ("shoulder", "elbow", "wrist"),
    "lower legs": ("knee", "ankle"),
    "wrists": ("wrist",),
}


def scene(joints, n_views=4, noise_px=2.0, outliers=0.0, seed=0):
    R, t = ring(n_views)
    points_norm, _ = observed(joints, R, t, noise_px=noise_px, outliers=outliers, seed=seed)
    return points_norm, np.full(points_norm.shape[:3], max(noise_px, 0.5) / FOCAL_PX), R[None], t[None]


def walk(n_frames, seed=0):
    """One person who turns and walks slowly."""
    pose = people(1, seed, swing=0.2)[0]
    turn = Rotation.from_rotvec(np.outer(np.linspace(0, 2, n_frames), [0, 0, 1])).as_matrix()
    middle = pose[0]
    return (pose - middle) @ np.swapaxes(turn, 1, 2) + middle + np.linspace(0, 500, n_frames)[:, None, None] * [1, 0, 0]


def places(part, where):
    """The joints of a part of the body as (F, J, V), where (F, V)."""
    full = np.zeros((len(where), N_JOINTS, where.shape[1]), bool)
    for j, name in enumerate(JOINTS):
        full[:, j] = where & (name[2:] in PARTS[part] and name[:2] in ("l_", "r_"))
    return full


def find(joints, points_norm, sigma, R, t):
    return find_swapped(points_norm, sigma, R, t, own_lengths(joints))


def far_apart(points_norm, sigma):
    """Where left and right differ so much in the image that their names matter."""
    return np.linalg.norm(points_norm - points_norm[:, MIRROR], axis=-1) > 6 * sigma


def solve(points_norm, sigma, R, t):
    n_views = points_norm.shape[2]
    points = triangulation.robust(points_norm.reshape(-1, n_views, 2), sigma.reshape(-1, n_views), R[0], t[0])
    return points.reshape(*points_norm.shape[:2], 3)


def test_costs_are_those_of_the_residuals():
    joints = people(6)
    points_norm, sigma, R, t = scene(joints, noise_px=3.0)
    points_norm[0, LEFT_JOINTS[0], 1], sigma[1, LEFT_JOINTS[1], 2] = np.nan, np.inf
    sides = joints[:, [LEFT_JOINTS, MIRROR[LEFT_JOINTS]]]  # (F, 2, 6, 3)
    sides[2, 0, 3] = np.nan
    found = _costs(points_norm, sigma, R, t, np.swapaxes(sides, 1, 2))
    for way, side in np.ndindex(2, 2):
        named = [LEFT_JOINTS, MIRROR[LEFT_JOINTS]][side]
        distance, _ = residuals(sides[:, side ^ way], points_norm[:, named], R, t)
        r2 = (distance / sigma[:, named]) ** 2
        np.testing.assert_allclose(found[way, :, side], np.nan_to_num(r2 / (1 + r2 / WIDTH**2)), atol=1e-9)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("noise_px", [0.0, 2.0])
def test_one_view_that_swaps_a_part_is_found(part, noise_px):
    joints = people(60)
    points_norm, sigma, R, t = scene(joints, noise_px=noise_px)
    where = places(part, np.arange(60)[:, None] % 5 == np.arange(4))  # each view in turn, and none
    swapped = swap_left_right(points_norm, where)
    found = find(joints, swapped, sigma, R, t)
    clear = far_apart(points_norm, sigma)
    assert clear[where].mean() > 0.8
    assert (found == where)[clear].mean() > (0.995 if noise_px else 0.9999)
    error = np.linalg.norm(
        solve(swap_left_right(swapped, found), sigma, R, t) - solve(points_norm, sigma, R, t), axis=-1
    )
    assert np.percentile(error, 99) < 15 if noise_px else error.max() < 1e-3


@pytest.mark.parametrize("n_views", [2, 3, 4])
def test_views_that_agree_keep_their_names(n_views):
    joints = people(200)
    points_norm, sigma, R, t = scene(joints, n_views)
    assert not find(joints, points_norm, sigma, R, t).any()


def test_outliers_are_not_taken_for_swapped_sides():
    joints = people(300)
    points_norm, sigma, R, t = scene(joints, outliers=0.05)
    found = find(joints, points_norm, sigma, R, t)
    assert found.mean() < 1e-3
    before, after = (
        np.linalg.norm(solve(x, sigma, R, t) - joints, axis=-1)
        for x in (points_norm, swap_left_right(points_norm, found))
    )
    assert after.mean() < 1.01 * before.mean()


def test_ties_between_views_are_broken_by_neighbouring_frames():
    joints = walk(60)
    points_norm, sigma, R, t = scene(joints)
    divided = np.zeros((60, 4), bool)
    divided[10:13, :2] = divided[30, 1:3] = divided[45, [0, 3]] = True
    where = places("body", divided)
    found = find(joints, swap_left_right(points_norm, where), sigma, R, t)
    clear = far_apart(points_norm, sigma)
    np.testing.assert_array_equal(found[clear], where[clear])


def test_ties_over_one_joint_are_broken_by_bone_lengths():
    joints = people(40)
    points_norm, sigma, R, t = scene(joints)
    where = places("lower legs", np.ones((40, 1), bool) & [True, True, False, False])
    swapped, clear = swap_left_right(points_norm, where), far_apart(points_norm, sigma)
    right = (find(joints, swapped, sigma, R, t) == where)[clear].mean()
    by_chance = (find_swapped(swapped, sigma, R, t, np.full(16, np.nan)) == where)[clear].mean()
    assert right > 0.9 > by_chance


def test_frames_in_parts_give_the_same():
    joints = walk(80)
    points_norm, sigma, R, t = scene(joints, outliers=0.03)
    rng = np.random.default_rng(1)
    points_norm = swap_left_right(
        points_norm, places("body", rng.random((80, 4)) < 0.15) ^ places("wrists", rng.random((80, 4)) < 0.1)
    )
    whole = find(joints, points_norm, sigma, R, t)
    assert whole.any()
    for start in range(0, 80, 20):
        low, high = max(start - CONTEXT, 0), min(start + 20 + CONTEXT, 80)
        part = find_swapped(points_norm[low:high], sigma[low:high], R, t, own_lengths(joints))
        np.testing.assert_array_equal(part[start - low :][:20], whole[start : start + 20])


def test_a_rig_for_each_frame_gives_the_same_as_one_for_all():
    joints = people(30)
    points_norm, sigma, R, t = scene(joints)
    points_norm = swap_left_right(points_norm, places("legs", np.arange(30)[:, None] % 4 == np.arange(4)))
    each = np.repeat(R, 30, 0), np.repeat(t, 30, 0)
    np.testing.assert_array_equal(find(joints, points_norm, sigma, *each), find(joints, points_norm, sigma, R, t))


@pytest.mark.parametrize("n_rigs", [2, 8])
def test_rigs_of_other_frames_are_refused(n_rigs):
    points_norm, sigma, R, t = scene(walk(5))
    with pytest.raises(ValueError, match=f"{n_rigs} rigs for 5 frames"):
        find_swapped(points_norm, sigma, R.repeat(n_rigs, 0), t.repeat(n_rigs, 0), np.full(16, np.nan))


def test_unseen_joints_take_no_part():
    joints = people(40)
    points_norm, sigma, R, t = scene(joints, noise_px=0.0)
    where = places("arms", np.zeros((40, 1), bool) | [False, True, False, False])
    unseen = np.zeros(where.shape, bool)
    unseen[:, joint("l_wrist"), 2] = unseen[:, joint("r_hip"), 0] = unseen[:, joint("r_ankle"), :3] = True
    points_norm, sigma = (
        np.where(unseen[..., None], np.nan, swap_left_right(points_norm, where)),
        np.where(unseen, np.inf, sigma),
    )
    t = t.copy()
    t[:, 3] = np.nan  # without a pose
    found = find(joints, points_norm, sigma, R, t)
    clear = far_apart(points_norm, sigma)
    clear[:, [joint("l_ankle"), joint("r_ankle")]] = False
    np.testing.assert_array_equal(found[..., :3][clear[..., :3]], where[..., :3][clear[..., :3]])
    nothing = find_swapped(np.full_like(points_norm, np.nan), np.full_like(sigma, np.inf), R, t, np.full(16, np.nan))
    assert not nothing.any()


def test_a_swap_takes_the_values_of_the_other_side():
    values = np.arange(2 * N_JOINTS * 3).reshape(2, N_JOINTS, 3)
    where = np.zeros(values.shape, bool)
    where[1, LEFT_JOINTS, 2] = True
    changed = swap_left_right(values, where)
    np.testing.assert_array_equal(changed[1, LEFT_JOINTS, 2], values[1, MIRROR[LEFT_JOINTS], 2])
    np.testing.assert_array_equal(changed[~where], values[~where])
